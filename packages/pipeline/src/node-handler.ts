import type { IncomingMessage, ServerResponse } from "node:http";

/** A request listener of `node:http`, and a middleware of express (`next`). */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void;
