import { createHttp2Server } from "../../src/index.ts";
import type { WireServerFactory } from "./wire-bench.ts";

/** The front server of this package for cleartext HTTP/2. */
export const front: WireServerFactory = async (handler, limits) => {
  let clock = 0;
  const faults: Error[] = [];
  const server = createHttp2Server({ handler, limits, timerInterval: 5, now: () => clock, onFault: (error) => faults.push(error) });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { port, front: server, faults, advance: (milliseconds) => void (clock += milliseconds) };
};
