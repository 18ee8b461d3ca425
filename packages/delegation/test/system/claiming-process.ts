/** Listens at the path named by its argument when it is told to, and says whether it does; closes, and says so. */
import { createServer } from "node:http";
import { createReceiver, type DelegationReceiver } from "../../src/receiver/index.ts";

const [path] = process.argv.slice(2) as [string];
let receiver: DelegationReceiver | undefined;

process.on("message", (what) => {
  if (what === "open") {
    createReceiver({ path, server: createServer() }).then(
      (opened) => {
        receiver = opened;
        process.send?.("listens");
      },
      (error: Error) => process.send?.(error.message),
    );
  } else {
    const open = receiver;
    receiver = undefined;
    void Promise.resolve(open?.close()).then(() => process.send?.("closed"));
  }
});
process.send?.("ready");
