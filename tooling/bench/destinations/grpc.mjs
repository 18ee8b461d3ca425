/** Answers each unary gRPC call with a message of 100 bytes, over HTTP/2 in cleartext. */
import http2 from "node:http2";

const message = Buffer.alloc(105, "x");
message.writeUInt8(0, 0);
message.writeUInt32BE(100, 1);
const server = http2.createServer({ settings: { maxConcurrentStreams: 1000 } });
server.on("stream", (stream) => {
  stream.on("error", () => {});
  stream.resume();
  stream.on("end", () => {
    if (stream.destroyed) return;
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(message);
  });
});
server.on("sessionError", () => {});
server.listen(Number(process.argv[2]), "127.0.0.1");
