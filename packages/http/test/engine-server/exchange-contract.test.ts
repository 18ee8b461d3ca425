import { createEngineServer } from "../../src/engine/server/engine-server.ts";
import { describeExchangeContract } from "../contract/exchange-contract.ts";

for (const reuseReadMemory of [true, false]) {
  describeExchangeContract(`the exchange contract on the engine's server ${reuseReadMemory ? "with" : "without"} reused memory`, {
    async start(handler, limits) {
      const faults: Error[] = [];
      const server = createEngineServer({
        handler,
        limits,
        timerInterval: 20,
        reuseReadMemory,
        onFault: (error) => faults.push(error),
      });
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
}
