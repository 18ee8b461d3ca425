import { createNodeServer } from "../src/index.ts";
import { describeExchangeContract } from "./contract/exchange-contract.ts";

describeExchangeContract("node:http server", {
  async start(handler, limits) {
    const faults: Error[] = [];
    const server = createNodeServer({ handler, limits, onFault: (error) => faults.push(error) });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    return {
      port,
      faults,
      get connectionCount() {
        return server.connectionCount;
      },
      close: (gracePeriod) => server.close(gracePeriod),
    };
  },
});
