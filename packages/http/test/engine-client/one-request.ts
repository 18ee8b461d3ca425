import { createEngineClient } from "../../src/index.ts";
import { send } from "./recorder.ts";

// A program that never closes its client. The second request wakes a connection that rests.
const pool = createEngineClient({ timerInterval: 10 }).destination({ scheme: "http", host: "127.0.0.1", port: Number(process.argv[2]) });
const first = await send(pool).done;
await new Promise((resolve) => {
  setTimeout(resolve, 50);
});
const second = await send(pool).done;
process.stdout.write(`${first.head?.status} once, then ${second.head?.status} again\n`);
