import { mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeaderList, createEngineServer, type Exchange, type AdoptingServer } from "@proxy/http";
import { afterEach, beforeEach } from "vitest";
import type { DelegationMode, QueueHandle } from "../src/index.ts";
import { createUnixCarrier } from "../src/index.ts";
import type { ChannelOptions } from "../src/index.ts";

/** A directory that only this user reaches. */
export async function privateDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "delegation-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Gives each test of a file such a directory. What the test adds to the list given back is closed behind it, the last first. */
export function eachInPrivateDirectory(use: (path: string) => void): (() => Promise<void> | void)[] {
  const closers: (() => Promise<void> | void)[] = [];
  beforeEach(async () => {
    const { path, remove } = await privateDirectory();
    closers.push(remove);
    use(path);
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  return closers;
}

export interface TestGateway {
  readonly port: number;
  readonly server: AdoptingServer;
  readonly handle: QueueHandle;
  /** Codes of hand-overs that failed. */
  readonly failures: string[];
  delegated: number;
  /** Of hand-overs from now on. */
  mode: DelegationMode;
  /** Answers with 200 and `itself` instead of handing over. */
  answersItself: boolean;
  /** Numbers of the connections that requests came over. */
  readonly connectionIds: number[];
  /** Another way to a process, which requests go while `isChosen`. */
  alsoTo(path: string): Promise<{ readonly handle: QueueHandle; isChosen: boolean }>;
  close(): Promise<void>;
}

/** A front server that hands every request to the process at `path`, and answers 503 with the code when it cannot. */
export async function startGateway(path: string, mode: DelegationMode, options: ChannelOptions = {}): Promise<TestGateway> {
  const handle = await createUnixCarrier(options).open(path);
  const others: { readonly handle: QueueHandle; isChosen: boolean }[] = [];
  const failures: string[] = [];
  const connectionIds: number[] = [];
  const gateway = { delegated: 0, mode, answersItself: false };
  const server = createEngineServer({
    handler(exchange: Exchange) {
      connectionIds.push(exchange.connection.id);
      if (gateway.answersItself) {
        exchange.response.send({ status: 200, headers: new HeaderList() }, "itself\n");
        return;
      }
      const chosen = others.find(({ isChosen }) => isChosen)?.handle ?? handle;
      chosen.delegate(exchange, { queueName: path, urlPrefix: "/", mode: gateway.mode }, (error) => {
        if (error === undefined) {
          gateway.delegated++;
          return;
        }
        failures.push(error.code);
        exchange.response.send({ status: 503, headers: new HeaderList() }, error.code);
      });
    },
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return Object.assign(gateway, {
    port, server, handle, failures, connectionIds,
    async alsoTo(other: string) {
      const added = { handle: await createUnixCarrier(options).open(other), isChosen: false };
      others.push(added);
      return added;
    },
    async close() {
      for (const each of others) each.handle.close();
      handle.close();
      await server.close(500);
    },
  });
}

/** Waits turn by turn of this process until `done` says so. */
export async function turnsUntil(done: () => boolean): Promise<void> {
  const end = performance.now() + 15_000;
  while (!done()) {
    if (performance.now() > end) throw new Error("it did not come to that");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A client of bytes. */
export class Client {
  text = "";
  ended = false;
  readonly socket: Socket;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => (this.text += chunk.toString("latin1")));
    socket.on("end", () => (this.ended = true));
    socket.on("error", () => (this.ended = true));
  }

  static async open(port: number): Promise<Client> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new Client(socket);
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Waits until what came holds `text`, and takes all up to its end. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.text.indexOf(text);
      if (at >= 0) {
        const taken = this.text.slice(0, at + text.length);
        this.text = this.text.slice(at + text.length);
        return taken;
      }
      if (this.ended || this.socket.destroyed) throw new Error(`the connection ended after '${this.text}'`);
      await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        for (const name of ["data", "end", "close"]) this.socket.off(name, done);
        resolve();
      };
      for (const name of ["data", "end", "close"]) this.socket.on(name, done);
    });
  }

  async end(): Promise<void> {
    if (!this.socket.destroyed && !this.ended) await once(this.socket, "close");
  }

  close(): void {
    this.socket.destroy();
  }
}
