import type { Socket } from "node:net";
import type { ResettableSocket } from "../../reset-socket.ts";

/** What a connection uses of its socket. */
export type ConnectionSocket = ResettableSocket & Pick<
  Socket,
  "write" | "end" | "cork" | "uncork" | "pause" | "resume" | "writableLength" | "writableNeedDrain" | "bytesWritten"
>;
