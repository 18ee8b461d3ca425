/** RFC 9113, section 8; RFC 8441, 4. */
import { data, frame, open, request, whole } from "../frames-to-send.ts";
import { type Fields, block } from "../frames-to-send.ts";
import { malformed, type Rule } from "../rule.ts";

const rejected = (name: string, fields: Fields, allowed: readonly string[] = malformed): Rule => ({ name, send: (client) => client.send(whole(1, fields)), allowed });
const withField = (name: string, field: readonly [string, string], allowed?: readonly string[]): Rule => rejected(name, request("/refused", [field]), allowed);
const taken = (name: string, fields: Fields, status = 200): Rule => ({ name, send: (client) => client.send(whole(1, fields)), allowed: [`status ${status}`] });

const method: Fields[number] = [":method", "GET"];
const scheme: Fields[number] = [":scheme", "http"];
const path: Fields[number] = [":path", "/refused"];
const authority: Fields[number] = [":authority", "a.test"];

/** A body that does not keep what the head said. `reaches`: the handler sees the head. */
function body(name: string, length: string, frames: (stream: number) => readonly Buffer[]): Rule {
  return {
    name,
    send: (client) => client.send(open(1, request("/echo", [["content-length", length]], "POST")), ...frames(1)),
    allowed: malformed,
    reaches: true,
  };
}

function trailers(name: string, fields: Fields, flags = 5): Rule {
  return {
    name,
    send: (client) => client.send(open(1, request("/echo", [], "POST")), data(1, "x"), frame(1, flags, 1, block(fields))),
    allowed: [...malformed, "connection PROTOCOL_ERROR"],
    reaches: true,
  };
}

export const requests: readonly Rule[] = [
  taken("8.1 a request without a body", request("/")),
  { name: "8.1 a body that ends with an empty DATA", send: (client) => client.send(open(1, request("/echo", [], "POST")), data(1, "x"), data(1, "", true)), allowed: ["status 200"] },
  { name: "8.1 a body that ends with trailers", send: (client) => client.send(open(1, request("/echo", [], "POST")), data(1, "x"), frame(1, 5, 1, block([["x-sum", "1"]]))), allowed: ["status 200"] },
  { name: "8.1 trailers without a body", send: (client) => client.send(open(1, request("/echo", [], "POST")), frame(1, 5, 1, block([["x-sum", "1"]]))), allowed: ["status 200"] },
  trailers("8.1 trailers without END_STREAM", [["x-sum", "1"]], 4),
  trailers("8.1 a pseudo-header in trailers", [[":path", "/"]]),
  trailers("8.1 a pseudo-header of answers in trailers", [["x-sum", "1"], [":status", "200"]]),
  trailers("8.1 upper case in trailers", [["X-Sum", "1"]]),
  trailers("8.1 a connection field in trailers", [["connection", "x"]]),
  trailers("8.1 a line feed in trailers", [["x-sum", "1\n2"]]),

  rejected("8.1.1 a length without a body", request("/refused", [["content-length", "1"]], "POST")),
  taken("8.1.1 a length of 0 without a body", request("/", [["content-length", "0"]], "POST")),
  body("8.1.1 a body shorter than its length", "5", (stream) => [data(stream, "abc", true)]),
  body("8.1.1 a body longer than its length", "2", (stream) => [data(stream, "abc", true)]),
  body("8.1.1 a body in parts that are longer than its length", "2", (stream) => [data(stream, "a"), data(stream, "bc")]),
  body("8.1.1 a body shorter than its length before trailers", "2", (stream) => [data(stream, "a"), frame(1, 5, stream, block([["x-a", "b"]]))]),
  body("8.1.1 a body with a length of 0", "0", (stream) => [data(stream, "a", true)]),
  ...["+1", "-1", "1,1", "", " ", "0x1", "1e0", "99999999999999999999"].map((length) => rejected(`8.1.1 a length of ${JSON.stringify(length)}`, request("/refused", [["content-length", length]], "POST"))),
  rejected("8.1.1 two lengths that differ", request("/refused", [["content-length", "0"], ["content-length", "1"]], "POST")),

  withField("8.2.1 a name in upper case", ["X-Upper", "1"]),
  withField("8.2.1 a name of known upper case", ["Content-Type", "a/b"]),
  withField("8.2.1 an empty name", ["", "1"]),
  withField("8.2.1 a name with a space", ["x a", "1"]),
  withField("8.2.1 a name with a colon", ["x:a", "1"]),
  withField("8.2.1 a name that ends with a colon", ["x-a:", "1"]),
  withField("8.2.1 a name with a line feed", ["x\na", "1"]),
  withField("8.2.1 a name with CR LF", ["x\r\na", "1"]),
  withField("8.2.1 a name with NUL", ["x\0a", "1"]),
  withField("8.2.1 a name with DEL", ["x\x7fa", "1"]),
  withField("8.2.1 a name with an octet above 0x7F", ["x\xe9", "1"]),
  withField("8.2.1 a value with NUL", ["x-a", "1\x002"]),
  withField("8.2.1 a value with CR", ["x-a", "1\r2"]),
  withField("8.2.1 a value with LF", ["x-a", "1\n2"]),
  withField("8.2.1 a value with CR LF and a field", ["x-a", "1\r\nx-b: 2"]),
  withField("8.2.1 a value that begins with a space", ["x-a", " 1"]),
  withField("8.2.1 a value that ends with a space", ["x-a", "1 "]),
  withField("8.2.1 a value that begins with a tab", ["x-a", "\t1"]),
  withField("8.2.1 a value that ends with a tab", ["x-a", "1\t"]),
  withField("8.2.1 a value that ends with a line feed", ["x-a", "1\n"]),
  taken("8.2.1 a value with a tab and octets above 0x7F inside", request("/", [["x-a", "1\t\xe9\xff2"]])),
  taken("8.2.1 an empty value", request("/", [["x-a", ""]])),

  ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map((name) => withField(`8.2.2 ${name}`, [name, name === "transfer-encoding" ? "chunked" : "x"])),
  withField("8.2.2 te of more than trailers", ["te", "trailers, deflate"]),
  withField("8.2.2 te of gzip", ["te", "gzip"]),
  taken("8.2.2 te of trailers", request("/", [["te", "trailers"]])),

  rejected("8.3 an unknown pseudo-header", [method, scheme, path, authority, [":unknown", "1"]]),
  rejected("8.3 the pseudo-header of answers", [method, scheme, path, authority, [":status", "200"]]),
  rejected("8.3 a pseudo-header behind a field", [method, scheme, authority, ["x-a", "b"], path]),
  rejected("8.3.1 no method", [scheme, path, authority]),
  rejected("8.3.1 no scheme", [method, path, authority]),
  rejected("8.3.1 no path", [method, scheme, authority]),
  rejected("8.3.1 an empty path", [method, scheme, [":path", ""], authority]),
  rejected("8.3.1 a path without its slash", [method, scheme, [":path", "refused"], authority]),
  rejected("8.3.1 * for GET", [method, scheme, [":path", "*"], authority]),
  rejected("8.3.1 a path with a space", [method, scheme, [":path", "/refused a"], authority]),
  rejected("8.3.1 a path with a line feed", [method, scheme, [":path", "/refused\n"], authority]),
  rejected("8.3.1 a path with NUL", [method, scheme, [":path", "/refused\0"], authority]),
  rejected("8.3.1 a method with a space", [[":method", "GET /refused"], scheme, path, authority]),
  rejected("8.3.1 an empty method", [[":method", ""], scheme, path, authority]),
  rejected("8.3.1 a method with CR LF", [[":method", "GET\r\n"], scheme, path, authority]),
  rejected("8.3.1 two methods", [method, method, scheme, path, authority]),
  rejected("8.3.1 two schemes", [method, scheme, scheme, path, authority]),
  rejected("8.3.1 two paths", [method, scheme, path, path, authority]),
  rejected("8.3.1 two authorities", [method, scheme, path, authority, authority]),
  rejected("8.3.1 an empty scheme", [method, [":scheme", ""], path, authority]),
  rejected("8.3.1 a scheme with a line feed", [method, [":scheme", "http\n"], path, authority]),
  rejected("8.3.1 an authority with user information", [method, scheme, path, [":authority", "u@a.test"]]),
  rejected("8.3.1 an authority with a slash", [method, scheme, path, [":authority", "a.test/x"]]),
  rejected("8.3.1 an authority with CR LF", [method, scheme, path, [":authority", "a.test\r\nx: y"]]),
  rejected("8.3.1 an empty authority", [method, scheme, path, [":authority", ""]]),
  rejected("8.3.1 neither authority nor Host", [method, scheme, path]),
  rejected("8.3.1 a Host that is not the authority", [method, scheme, path, authority, ["host", "b.test"]]),
  rejected("8.3.1 two Hosts", [method, scheme, path, ["host", "a.test"], ["host", "a.test"]]),
  rejected("8.3.1 two Hosts that differ, beside the authority", [method, scheme, path, authority, ["host", "a.test"], ["host", "b.test"]]),
  taken("8.3.1 Host without an authority", [method, scheme, [":path", "/"], ["host", "a.test"]]),
  taken("8.3.1 Host that is the authority", [method, scheme, [":path", "/"], authority, ["host", "a.test"]]),
  taken("8.3.1 pseudo-headers in another order", [authority, [":path", "/"], scheme, method]),
  taken("8.3.1 * for OPTIONS", [[":method", "OPTIONS"], scheme, [":path", "*"], authority]),

  rejected("8.5 CONNECT with a path", [[":method", "CONNECT"], scheme, path, authority], [...malformed, "status 501"]),
  rejected("8.5 CONNECT without an authority", [[":method", "CONNECT"]], [...malformed, "status 501"]),
  taken("8.5 CONNECT to a host, which this server is not for", [[":method", "CONNECT"], [":authority", "a.test:443"]], 501),
  rejected("RFC 8441, 4: :protocol without CONNECT", [method, scheme, path, authority, [":protocol", "websocket"]]),
  rejected("RFC 8441, 4: :protocol without a path", [[":method", "CONNECT"], scheme, authority, [":protocol", "websocket"]]),
  rejected("RFC 8441, 4: :protocol without a scheme", [[":method", "CONNECT"], path, authority, [":protocol", "websocket"]]),
  rejected("RFC 8441, 4: :protocol without an authority", [[":method", "CONNECT"], scheme, path, [":protocol", "websocket"]]),
  rejected("RFC 8441, 4: two :protocol", [[":method", "CONNECT"], scheme, path, authority, [":protocol", "websocket"], [":protocol", "websocket"]]),
  {
    name: "RFC 8441, 5: a tunnel, and its end",
    send: (client) => client.send(open(1, [[":method", "CONNECT"], scheme, [":path", "/tunnel"], authority, [":protocol", "websocket"]]), data(1, "hello", true)),
    allowed: ["status 200"],
  },
];
