import { createRequire } from "node:module";
import { EngineCall } from "../../src/engine/client/engine-call.ts";
import type { EngineDestination } from "../../src/engine/client/engine-destination.ts";
import { ResponseReader } from "../../src/engine/client/response-reader.ts";
import { get, Recorder } from "./recorder.ts";

/** A response as a parser saw it. */
interface Seen {
  readonly status: number | undefined;
  readonly body: string;
  readonly complete: boolean;
}

interface NodeParser {
  initialize(type: number, resource: object, maxHeaderSize: number, lenientFlags: number): void;
  execute(bytes: Buffer): number | Error;
  [callback: number]: (...args: never[]) => number | void;
}

interface NodeParserClass {
  new (): NodeParser;
  readonly RESPONSE: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

const { HTTPParser } = createRequire(import.meta.url)("node:_http_common") as { readonly HTTPParser: NodeParserClass };

/** The final response in `bytes` as llhttp reads it, strictly; undefined when it refuses. */
function inNode(bytes: Buffer): Seen | undefined {
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.RESPONSE, {}, 65_536, 0);
  let status: number | undefined;
  let body = "";
  let complete = false;
  parser[HTTPParser.kOnHeadersComplete] = (...args: unknown[]) => {
    status = args[5] as number;
    body = "";
    complete = false;
    return 0;
  };
  parser[HTTPParser.kOnBody] = (chunk: Buffer) => {
    body += chunk.toString("latin1");
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    complete = status !== undefined && (status >= 200 || status === 101);
  };
  return typeof parser.execute(bytes) === "number" ? { status, body, complete } : undefined;
}

/** What is wrong when the engine takes `text` for a response and Node's parser does not, or sees another one. */
export function disagreement(text: string): object | undefined {
  const recorder = new Recorder();
  const call = new EngineCall({ name: "destination" } as unknown as EngineDestination, get(), recorder, "");
  const reader = new ResponseReader(65_536);
  const bytes = Buffer.from(text, "latin1");
  const outcome = reader.read(call, bytes, 0, bytes.length, true);
  const untilClose = outcome === "more" && reader.phase === "until-close";
  if (outcome !== "done" && !untilClose) return undefined;
  const used = bytes.subarray(0, reader.position);
  const ours: Seen = { status: recorder.head?.status, body: recorder.body, complete: outcome === "done" };
  const node = inNode(used);
  const same = node !== undefined && node.status === ours.status && node.body === ours.body && node.complete === ours.complete;
  return same ? undefined : { text, ours, node };
}

/** Legal responses. */
export const seedResponses: readonly string[] = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na;x=y;z=\"q\\\"r\"\r\n0123456789\r\n01\r\n!\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n",
  "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
  "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
  "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it",
  "HTTP/1.1 404 \r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
];
