import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
// @boundaries-ignore the suite lives with its interface
import { data, type Fields, open, settings, whole } from "../../../../http/test/http2-wire/frames-to-send.ts";
// @boundaries-ignore the suite lives with its interface
import { WireClient } from "../../../../http/test/http2-wire/wire-client.ts";
import type { Lines, SeenRequest, SeenResponse, SentRequest, SentResponse, WireDestination, WireEnd } from "./messages.ts";

const preface = 24;
const headersFrame = 1;
const endStream = 1;

const lowered = (lines: Lines): Fields => lines.map(([name, value]) => [name.toLowerCase(), value]);
const pseudo = (fields: Fields, name: string): string => fields.find(([found]) => found === name)?.[1] ?? "";
const ordinary = (fields: Fields | undefined): Lines => (fields ?? []).filter(([name]) => !name.startsWith(":"));

/** A client of frames, over one connection for as long as it lasts. */
export class Http2End implements WireEnd {
  readonly #port: number;
  #connection: WireClient | undefined;
  #next = 1;

  constructor(port: number) {
    this.#port = port;
  }

  async ask({ method, target, authority, headers, body, hasBody }: SentRequest): Promise<SeenResponse> {
    const connection = (this.#connection ??= await this.#open());
    const id = this.#next;
    this.#next += 2;
    const begin: Fields = method === "CONNECT" ? [] : [[":scheme", "http"], [":path", target]];
    const fields: Fields = [[":method", method], ...begin, [":authority", authority], ...lowered(headers)];
    if (hasBody) connection.send(open(id, fields), data(id, body, true));
    else connection.send(whole(id, fields));
    const stream = connection.stream(id);
    while (!stream.ended && stream.resetWith === undefined && connection.ending === undefined) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          connection.socket.off("data", wake).off("close", wake);
          resolve();
        };
        connection.socket.on("data", wake).on("close", wake);
      });
    }
    if (connection.ending !== undefined) {
      connection.destroy();
      this.#connection = undefined;
      this.#next = 1;
    }
    const at = stream.heads.findIndex((head) => Number(pseudo(head, ":status")) >= 200);
    return { status: stream.status ?? 0, reason: undefined, headers: ordinary(stream.heads[at]), trailers: ordinary(stream.heads[at + 1]) };
  }

  close(): void {
    this.#connection?.destroy();
  }

  async #open(): Promise<WireClient> {
    const socket = connect(this.#port, "127.0.0.1");
    await once(socket, "connect");
    socket.setNoDelay(true);
    return WireClient.over(socket);
  }
}

/** A destination of frames: what it is told goes out as it stands, right or wrong. */
export class Http2Destination implements WireDestination {
  answer: SentResponse = { status: 200, reason: "", headers: [], trailers: undefined };
  readonly seen: SeenRequest[] = [];
  readonly faults: unknown[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => this.#sockets.delete(socket));
      const greet = (): void => {
        if (socket.read(preface) === null) return;
        socket.off("readable", greet);
        this.#serve(socket);
      };
      socket.on("readable", greet);
    });
  }

  static async open(): Promise<Http2Destination> {
    const server = createServer({ noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Http2Destination(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** Both sides of HTTP/2 read alike once the preface is off. */
  #serve(socket: Socket): void {
    const connection = WireClient.over(socket, { greeting: settings([]) });
    let looked = 0;
    socket.on("data", () => {
      // One request at a time: the last one is the only one that may be incomplete.
      while (looked < connection.frames.length) {
        const { type, flags, stream } = connection.frames[looked] as (typeof connection.frames)[number];
        if (type === headersFrame) {
          const { ended, resetWith } = connection.stream(stream);
          if (!ended && resetWith === undefined) return;
          if (ended) this.#request(connection, stream, (flags & endStream) === 0);
        }
        looked++;
      }
    });
    socket.resume();
  }

  #request(connection: WireClient, id: number, hasBody: boolean): void {
    const { heads, body } = connection.stream(id);
    const [fields = []] = heads;
    const authority = pseudo(fields, ":authority");
    const host: Lines = authority === "" ? [] : [["host", authority]];
    this.seen.push({ method: pseudo(fields, ":method"), target: pseudo(fields, ":path"), headers: [...host, ...ordinary(fields)], body, hasBody });
    const { status, headers, trailers } = this.answer;
    const head: Fields = [[":status", String(status)], ...lowered(headers)];
    if (trailers === undefined) connection.send(whole(id, head));
    else connection.send(open(id, head), whole(id, lowered(trailers)));
  }
}
