import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { frame, frameKind, FrameReader, protocolVersion } from "../src/unix/frames.ts";

export interface FalseTarget {
  /** The doors that gateways have opened. */
  readonly doors: Socket[];
  close(): Promise<void>;
}

/** A process that says the first words of the protocol as it should, and with hand-overs does what `onHandOver` says: by default nothing. */
export async function startFalseTarget(
  path: string, { version = protocolVersion, onHandOver }: { version?: number; onHandOver?: (door: Socket, id: number) => void } = {},
): Promise<FalseTarget> {
  const doors: Socket[] = [];
  const all = new Set<Socket>();
  const server = createServer((socket) => {
    all.add(socket);
    socket.on("error", () => undefined);
    const frames = new FrameReader();
    frames.trust();
    let isCarrier = false;
    socket.on("data", (chunk: Buffer) => {
      // A byte for each descriptor, which is lost here.
      if (isCarrier) return;
      frames.read(chunk, (kind, id, payload) => {
        if (kind === frameKind.handOver) onHandOver?.(socket, id);
        else if (payload.includes("token")) {
          isCarrier = true;
          doors[0]?.write(frame(frameKind.ready, 0));
        }
        else {
          doors.push(socket);
          socket.write(frame(frameKind.hello, 0, Buffer.from(JSON.stringify({ version, token: "t" }))));
        }
      });
    });
  });
  server.listen(path);
  await once(server, "listening");
  return {
    doors,
    async close() {
      for (const socket of all) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
