/** A process of another user that connects to a receiver: tells what it heard. */
import { connect } from "node:net";
import { frame, frameKind, protocolVersion } from "../../src/unix/frames.ts";

const socket = connect(process.argv[2] as string);
let heard = 0;
socket.on("connect", () => socket.write(frame(frameKind.hello, 0, Buffer.from(JSON.stringify({ version: protocolVersion })))));
socket.on("data", (chunk: Buffer) => (heard += chunk.length));
socket.on("error", () => undefined);
socket.on("close", () => process.stdout.write(`heard ${heard} bytes\n`));
