import { EventEmitter, once } from "node:events";
import { createEngineClient } from "../../src/index.ts";
import { send } from "./recorder.ts";

// A program that never closes its client. The second request wakes a connection that rests.
const looked = new EventEmitter();
const now = (): number => {
  looked.emit("look");
  return performance.now();
};
const pool = createEngineClient({ now, timerInterval: 10 }).destination({ scheme: "http", host: "127.0.0.1", port: Number(process.argv[2]) });
const first = await send(pool).done;
// The process is held open meanwhile: nothing else would, once the connection rests.
const held = setInterval(() => {}, 10_000);
for (let looks = 0; looks < 4; looks++) await once(looked, "look");
clearInterval(held);
const second = await send(pool).done;
process.stdout.write(`${first.head?.status} once, then ${second.head?.status} again\n`);
