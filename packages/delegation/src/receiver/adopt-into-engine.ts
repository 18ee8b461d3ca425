import type { AdoptingServer } from "@proxy/http";
import type { Adopt } from "./lender.ts";

/** Our engine takes the head and what follows as the first bytes of the connection, and gives back between requests itself. */
export function adoptIntoEngine(server: AdoptingServer): Adopt {
  return (socket, { head, rest }, giveBack) => {
    server.adoptConnection(socket, rest.length === 0 ? head : Buffer.concat([head, rest]), giveBack);
  };
}
