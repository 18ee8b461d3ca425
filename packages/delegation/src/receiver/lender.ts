import type { Socket } from "node:net";
import type { ConnectionLender } from "@proxy/http";
import type { HandOver } from "../unix/frames.ts";

/** A connection as the server has it. */
export interface ServedConnection {
  /** It was given back, and comes again with the next request. */
  resume(handOver: HandOver): void;
}

/**
 * Serves a connection that came; `lender` takes it back between two requests, undefined: it stays. Undefined when the server took
 * none: the socket is closed.
 */
export type Adopt = (socket: Socket, handOver: HandOver, lender: ConnectionLender | undefined) => ServedConnection | undefined;
