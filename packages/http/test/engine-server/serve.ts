import { afterEach } from "vitest";
import { createEngineServer, type ExchangeHandler, type FrontServer, HeaderList, type ServerLimits } from "../../src/index.ts";
import { RawClient } from "../contract/raw-client.ts";
import { until } from "../contract/recorders.ts";

const servers: FrontServer[] = [];
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const server of servers.splice(0)) await server.close(1000);
});

export interface EngineBench {
  readonly server: FrontServer;
  readonly faults: Error[];
  /** Moves the clock of the server on: its deadlines are looked at within milliseconds. */
  advance(milliseconds: number): void;
  /** Resolves when the server has looked at its deadlines since. */
  looked(): Promise<void>;
  connect(): Promise<RawClient>;
}

/** An engine server with a clock that stands still until it is told to move. */
export async function serve(handler: ExchangeHandler, limits?: Partial<ServerLimits>): Promise<EngineBench> {
  let clock = 0;
  let looks = 0;
  const faults: Error[] = [];
  const server = createEngineServer({
    handler,
    limits,
    now() {
      looks++;
      return clock;
    },
    timerInterval: 2,
    onFault: (error) => faults.push(error),
  });
  servers.push(server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    server,
    faults,
    advance(milliseconds) {
      clock += milliseconds;
    },
    async looked() {
      // A look after a jump of the clock lets waiting input be read first.
      const enough = looks + 3;
      await until(() => looks >= enough);
    },
    async connect() {
      const client = await RawClient.open(port);
      clients.push(client);
      return client;
    },
  };
}

export function answer(status: number, body = ""): ExchangeHandler {
  return (exchange) => exchange.response.send({ status, headers: new HeaderList() }, body);
}

export const get = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
