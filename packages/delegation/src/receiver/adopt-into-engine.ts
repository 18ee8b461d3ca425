import type { AdoptingServer } from "@proxy/http";
import type { HandOver } from "../unix/frames.ts";
import type { Adopt } from "./lender.ts";

/** Our engine takes the head and what follows as the first bytes of the connection, and gives back between requests itself. */
export function adoptIntoEngine(server: AdoptingServer): Adopt {
  return (socket, handOver, lender) => {
    const connection = server.adoptConnection(socket, bytesOf(handOver), lender);
    return connection && { resume: (next) => connection.resumeWith(bytesOf(next)) };
  };
}

function bytesOf({ head, rest }: HandOver): Buffer {
  return rest.length === 0 ? head : Buffer.concat([head, rest]);
}
