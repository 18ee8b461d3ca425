/** A process of another user that listens where a receiver could. */
import { createServer } from "node:net";

const server = createServer((socket) => void socket.on("error", () => undefined).resume());
server.listen(process.argv[2], () => process.stdout.write("listening\n"));
