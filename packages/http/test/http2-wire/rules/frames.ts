/** RFC 9113, section 6; RFC 8441, 3. */
import { frameFlag, frameType, settingId } from "../../../src/engine/http2/frames.ts";
import { block, continuation, data, frame, numbers, open, ping, request, reset, settings, whole, windowUpdate } from "../frames-to-send.ts";
import { goesOn, type Rule } from "../rule.ts";

const { endStream, endHeaders, padded, priority: withPriority } = frameFlag;
const protocol = ["connection PROTOCOL_ERROR"];
const frameSize = ["connection FRAME_SIZE_ERROR"];
const flowControl = ["connection FLOW_CONTROL_ERROR"];
const post = (path: string): Buffer => open(1, request(path, [], "POST"));
const get = block(request("/"));
const refused = block(request("/refused"));
const largest = 2 ** 31 - 1;

function setting(id: number, value: number): Rule["send"] {
  return (client) => client.send(settings([[id, value]]));
}

export const frames: readonly Rule[] = [
  { name: "6.1 DATA on stream 0", send: (client) => client.send(data(0, "x")), allowed: protocol },
  { name: "6.1 DATA with padding", send: (client) => client.send(post("/echo"), frame(frameType.data, padded | endStream, 1, Buffer.from("\x03abc\0\0\0"))), allowed: ["status 200"] },
  { name: "6.1 DATA of padding alone", send: (client) => client.send(post("/echo"), frame(frameType.data, padded | endStream, 1, Buffer.from("\x02\0\0"))), allowed: ["status 200"] },
  { name: "6.1 DATA with padding as long as the payload", send: (client) => client.send(post("/drain"), frame(frameType.data, padded, 1, Buffer.from("\x04abc"))), allowed: protocol },
  { name: "6.1 DATA with PADDED and no octet", send: (client) => client.send(post("/drain"), frame(frameType.data, padded, 1)), allowed: [...frameSize, ...protocol] },

  { name: "6.2 HEADERS with padding", send: (client) => client.send(frame(frameType.headers, endStream | endHeaders | padded, 1, Buffer.concat([Buffer.from([4]), get, Buffer.alloc(4)]))), allowed: ["status 200"] },
  { name: "6.2 HEADERS with a priority", send: (client) => client.send(frame(frameType.headers, endStream | endHeaders | withPriority, 1, Buffer.concat([Buffer.from("8000000bff", "hex"), get]))), allowed: ["status 200"] },
  { name: "6.2 HEADERS with padding and a priority", send: (client) => client.send(frame(frameType.headers, endStream | endHeaders | padded | withPriority, 1, Buffer.concat([Buffer.from("020000000bff", "hex"), get, Buffer.alloc(2)]))), allowed: ["status 200"] },
  { name: "6.2 HEADERS with padding longer than the payload", send: (client) => client.send(frame(frameType.headers, endStream | endHeaders | padded, 1, Buffer.concat([Buffer.from([200]), refused]))), allowed: protocol },
  { name: "6.2 HEADERS with padding that covers its priority", send: (client) => client.send(frame(frameType.headers, endStream | endHeaders | padded | withPriority, 1, Buffer.from([1, 0, 0, 0, 0, 0]))), allowed: [...frameSize, ...protocol] },
  { name: "6.2 HEADERS too short for its priority", send: (client) => client.send(frame(frameType.headers, endStream | endHeaders | withPriority, 1, Buffer.alloc(4))), allowed: [...frameSize, ...protocol] },
  { name: "6.2 HEADERS with PADDED and no octet", send: (client) => client.send(frame(frameType.headers, endStream | endHeaders | padded, 1)), allowed: [...frameSize, ...protocol] },

  { name: "6.3 PRIORITY on stream 0", send: (client) => client.send(frame(frameType.priority, 0, 0, Buffer.alloc(5))), allowed: protocol },
  { name: "6.3 PRIORITY of four octets", send: (client) => client.send(whole(1, request("/hang")), frame(frameType.priority, 0, 1, Buffer.alloc(4))), allowed: [...frameSize, "stream FRAME_SIZE_ERROR"] },

  { name: "6.4 RST_STREAM on stream 0", send: (client) => client.send(reset(0)), allowed: protocol },
  { name: "6.4 RST_STREAM of three octets", send: (client) => client.send(whole(1, request("/hang")), frame(frameType.rstStream, 0, 1, Buffer.alloc(3))), allowed: frameSize },
  { name: "6.4 RST_STREAM with an unknown code", send: (client) => client.send(whole(1, request("/hang")), reset(1, 0xdeadbeef)), allowed: [goesOn] },

  { name: "6.5 SETTINGS with ACK and octets", send: (client) => client.send(frame(frameType.settings, frameFlag.ack, 0, Buffer.alloc(6))), allowed: frameSize },
  { name: "6.5 SETTINGS on a stream", send: (client) => client.send(settings([], 1)), allowed: protocol },
  { name: "6.5 SETTINGS of five octets", send: (client) => client.send(frame(frameType.settings, 0, 0, Buffer.alloc(5))), allowed: frameSize },
  { name: "6.5.2 ENABLE_PUSH of 2", send: setting(settingId.enablePush, 2), allowed: protocol },
  { name: "6.5.2 INITIAL_WINDOW_SIZE of 2^31", send: setting(settingId.initialWindowSize, 2 ** 31), allowed: flowControl },
  { name: "6.5.2 INITIAL_WINDOW_SIZE of 2^31-1", send: setting(settingId.initialWindowSize, largest), allowed: [goesOn] },
  { name: "6.5.2 MAX_FRAME_SIZE of 16383", send: setting(settingId.maxFrameSize, 16_383), allowed: protocol },
  { name: "6.5.2 MAX_FRAME_SIZE of 2^24", send: setting(settingId.maxFrameSize, 2 ** 24), allowed: protocol },
  { name: "6.5.2 MAX_FRAME_SIZE of 2^24-1", send: setting(settingId.maxFrameSize, 2 ** 24 - 1), allowed: [goesOn] },
  { name: "6.5.2 an unknown setting", send: setting(0xfafa, 0xffffffff), allowed: [goesOn] },
  { name: "6.5.2 each setting at its end", send: (client) => client.send(settings([[1, 0xffffffff], [2, 0], [3, 0], [5, 16_384], [6, 0xffffffff]])), allowed: [goesOn] },
  { name: "RFC 8441, 3: ENABLE_CONNECT_PROTOCOL of the client", send: setting(settingId.enableConnectProtocol, 1), allowed: [goesOn] },

  { name: "6.6 PUSH_PROMISE of the client", send: (client) => client.send(whole(1, request("/hang")), frame(frameType.pushPromise, endHeaders, 1, Buffer.concat([numbers(2), refused]))), allowed: protocol },

  { name: "6.7 PING on a stream", send: (client) => client.send(frame(frameType.ping, 0, 1, Buffer.alloc(8))), allowed: protocol },
  { name: "6.7 PING of six octets", send: (client) => client.send(frame(frameType.ping, 0, 0, Buffer.alloc(6))), allowed: frameSize },
  { name: "6.7 PING of nine octets", send: (client) => client.send(frame(frameType.ping, 0, 0, Buffer.alloc(9))), allowed: frameSize },
  { name: "6.7 an answer to no PING", send: (client) => client.send(ping("unsought", frameFlag.ack)), allowed: [goesOn, ...protocol] },

  { name: "6.8 GOAWAY on a stream", send: (client) => client.send(frame(frameType.goaway, 0, 1, numbers(0, 0))), allowed: protocol },
  { name: "6.8 GOAWAY of seven octets", send: (client) => client.send(frame(frameType.goaway, 0, 0, Buffer.alloc(7))), allowed: frameSize },

  { name: "6.9 WINDOW_UPDATE of 0 on the connection", send: (client) => client.send(windowUpdate(0, 0)), allowed: protocol },
  { name: "6.9 WINDOW_UPDATE of 0 on a stream", send: (client) => client.send(whole(1, request("/hang")), windowUpdate(1, 0)), allowed: ["stream PROTOCOL_ERROR", ...protocol] },
  { name: "6.9 WINDOW_UPDATE of three octets", send: (client) => client.send(frame(frameType.windowUpdate, 0, 0, Buffer.alloc(3))), allowed: frameSize },
  { name: "6.9.1 the window of the connection beyond 2^31-1", send: (client) => client.send(windowUpdate(0, largest), windowUpdate(0, largest)), allowed: flowControl },
  { name: "6.9.1 the window of the connection one beyond 2^31-1", send: (client) => client.send(windowUpdate(0, largest - 65_535), windowUpdate(0, 1)), allowed: flowControl },
  { name: "6.9.1 the window of the connection at 2^31-1", send: (client) => client.send(windowUpdate(0, largest - 65_535)), allowed: [goesOn] },
  { name: "6.9.1 the window of a stream beyond 2^31-1", send: (client) => client.send(whole(1, request("/hang")), windowUpdate(1, largest)), allowed: ["stream FLOW_CONTROL_ERROR", ...flowControl] },
  { name: "6.9.2 a window of a stream pushed beyond 2^31-1 by SETTINGS", send: (client) => client.send(whole(1, request("/hang")), windowUpdate(1, largest - 65_535), settings([[settingId.initialWindowSize, 65_536]])), allowed: flowControl },

  { name: "6.10 CONTINUATION on stream 0", send: (client) => client.send(frame(frameType.headers, endStream, 1, refused), continuation(0, Buffer.alloc(0))), allowed: protocol },
  { name: "6.10 a head in three frames", send: (client) => client.send(frame(frameType.headers, endStream, 1, get.subarray(0, 3)), continuation(1, get.subarray(3, 9), false), continuation(1, get.subarray(9))), allowed: ["status 200"] },
  { name: "6.10 a head in HEADERS with padding and an empty CONTINUATION", send: (client) => client.send(frame(frameType.headers, endStream | padded, 1, Buffer.concat([Buffer.from([4]), get, Buffer.alloc(4)])), continuation(1, Buffer.alloc(0))), allowed: ["status 200"] },
  { name: "6.10 CONTINUATION behind END_HEADERS", send: (client) => client.send(open(1, request("/hang", [], "POST")), continuation(1, refused)), allowed: protocol },
  { name: "6.10 CONTINUATION behind CONTINUATION with END_HEADERS", send: (client) => client.send(frame(frameType.headers, 0, 1, block(request("/hang", [], "POST"))), continuation(1, Buffer.alloc(0)), continuation(1, refused)), allowed: protocol },
  { name: "6.10 CONTINUATION behind DATA", send: (client) => client.send(post("/hang"), data(1, "x"), continuation(1, refused)), allowed: protocol },
];
