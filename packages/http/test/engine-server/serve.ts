import { afterEach } from "vitest";
import { createEngineServer, type ExchangeHandler, type FrontServer, HeaderList, type ServerLimits } from "../../src/index.ts";
import { ManualClock } from "../contract/manual-clock.ts";
import { RawClient } from "../contract/raw-client.ts";

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
  const clock = new ManualClock();
  const faults: Error[] = [];
  const server = createEngineServer({
    handler,
    limits,
    now: clock.now,
    timerInterval: 2,
    onFault: (error) => faults.push(error),
  });
  servers.push(server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    server,
    faults,
    advance: clock.advance,
    looked: () => clock.looked(),
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
