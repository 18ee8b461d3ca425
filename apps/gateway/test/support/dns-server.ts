import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";

/** A name server on loopback that knows what a test tells it. */
export interface DnsServer {
  /** As `NameServers` takes it. */
  readonly address: string;
  /** Names asked for so far, with the type of the question. */
  readonly asked: string[];
  /** By lower-case name; a name that is not here does not exist. Undefined: the server is silent. */
  records: Readonly<Record<string, readonly DnsRecord[]>> | undefined;
  /** Questions of this type fail (SERVFAIL). */
  failing?: "A" | "AAAA" | undefined;
  [Symbol.asyncDispose](): Promise<void>;
}

export type DnsRecord =
  | { readonly ttl: number; readonly address: string }
  | { readonly ttl: number; readonly target: string; readonly port: number };

const types: Readonly<Record<number, string>> = { 1: "A", 28: "AAAA", 33: "SRV" };

export async function startDnsServer(records: DnsServer["records"]): Promise<DnsServer> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const server: DnsServer = {
    address: `127.0.0.1:${socket.address().port}`,
    asked: [],
    records,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
  socket.on("message", (query, { address, port }) => {
    const { name, end } = readName(query);
    const type = types[query.readUInt16BE(end)] ?? "other";
    server.asked.push(`${type} ${name}`);
    if (server.records === undefined) return;
    const known = server.records[name];
    const answers = (known ?? []).filter((record) => typeOf(record) === type && type !== server.failing);
    const head = Buffer.from(query.subarray(0, 12));
    // A response, recursion available; 3: there is no such name (RFC 1035, 4.1.1).
    head.writeUInt16BE(0x8180 | (type === server.failing ? 2 : known === undefined ? 3 : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    head.writeUInt32BE(0, 8);
    socket.send(Buffer.concat([head, query.subarray(12, end + 4), ...answers.map(encode)]), port, address);
  });
  return server;
}

function readName(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}

function typeOf(record: DnsRecord): string {
  return "port" in record ? "SRV" : isIPv4(record.address) ? "A" : "AAAA";
}

function encode(record: DnsRecord): Buffer {
  const data = "port" in record ? srvData(record) : addressData(record.address);
  const head = Buffer.alloc(12);
  // The name of the question stands at 12.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE("port" in record ? 33 : isIPv4(record.address) ? 1 : 28, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(record.ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function srvData({ target, port }: { readonly target: string; readonly port: number }): Buffer {
  const numbers = Buffer.alloc(6);
  numbers.writeUInt16BE(port, 4);
  const labels = target.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")]));
  return Buffer.concat([numbers, ...labels, Buffer.from([0])]);
}

function addressData(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const halves = address.split("::").map((half) => half.split(":").filter((part) => part !== ""));
  const [left = [], right = []] = halves;
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => "0"), ...right];
  return Buffer.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]));
}
