import { createServer, type Server, type Socket } from "node:net";
import { readMessage } from "./message.ts";
import { makePlan } from "./plan.ts";
import { play } from "./play.ts";
import type { Strikes } from "./strikes.ts";

/** A destination that reads requests in order and plays its part of each; `sockets` holds its open connections. */
export function faultyDestination(seed: number, strikes: Strikes, sockets: Set<Socket>): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
    let text = "";
    let acted = false;
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      const message = readMessage(text, false);
      if (message === undefined) return;
      const plan = makePlan(seed, Number(/ \/(\d+) /.exec(message.startLine)?.[1]));
      if (!acted && (plan.early || message.end !== undefined)) {
        acted = true;
        const { kind } = plan.destination;
        void play(socket, plan.response, plan.destination, (step) => strikes.count("destination", kind, step));
      }
      if (message.end === undefined || plan.upgrade) return;
      text = text.slice(message.end);
      acted = false;
    });
  });
}
