import { expect, test } from "vitest";
import { completionsOf, type HttpSysLibrary, type Memory } from "../src/index.ts";
import { errorCode } from "../src/abi/constants.ts";

/** A library whose waits end when told to, and write what they are told to. */
function scripted(): { readonly library: HttpSysLibrary; end(overlapped?: bigint): void; readonly waits: () => number } {
  let address = 0x1000n;
  let waits = 0;
  let waiting: { readonly entries: Memory; readonly removed: Memory; readonly done: () => void } | undefined;
  const library: HttpSysLibrary = {
    path: "scripted",
    find: () => undefined,
    call: () => 0,
    require: () => undefined,
    system: (name) => (name === "CreateIoCompletionPort" ? 7n : 0),
    wait(_port, entries, _most, removed, _timeout, done) {
      waits++;
      waiting = { entries, removed, done };
    },
    memory: (size) => ({ buffer: Buffer.alloc(size), address: (address += 0x1000n) }),
    addressOf: () => 0n,
    why: () => undefined,
  };
  return {
    library,
    waits: () => waits,
    end(overlapped) {
      const { entries, removed, done } = waiting!;
      if (overlapped !== undefined) {
        entries.buffer.fill(0);
        entries.buffer.writeBigUInt64LE(overlapped, 8);
        removed.buffer.writeUInt32LE(1, 0);
      }
      done();
    },
  };
}

test("a wait that fails ends no call, though a new one uses the memory of one that ended before", () => {
  const { library, end, waits } = scripted();
  const source = completionsOf(library);
  const ended: string[] = [];
  let overlapped = 0n;
  const submit = (name: string): void =>
    source.submit({
      start(at) {
        overlapped = at;
        return errorCode.ERROR_IO_PENDING;
      },
      completed: () => void ended.push(name),
    });
  submit("first");
  const [first] = [overlapped];
  end(overlapped);
  expect(ended).toEqual(["first"]);
  submit("second");
  expect(overlapped).toBe(first);
  // As GetQueuedCompletionStatusEx does where it fails: it writes nothing.
  end();
  expect([ended, source.pending, waits()]).toEqual([["first"], 1, 3]);
  end(overlapped);
  expect(ended).toEqual(["first", "second"]);
  source.release();
  end(0n);
});

test("a packet that comes for a call which ended at once with an error ends no other call, and its memory is used again only when none can come any more", async () => {
  const { library, end } = scripted();
  const source = completionsOf(library);
  const ended: [string, number][] = [];
  const used: bigint[] = [];
  const submit = (name: string, code: number = errorCode.ERROR_IO_PENDING): void =>
    source.submit({
      start(at) {
        used.push(at);
        return code;
      },
      completed: (result) => void ended.push([name, result]),
    });
  submit("too large", errorCode.ERROR_MORE_DATA);
  await Promise.resolve();
  submit("again");
  end(used[0]);
  expect([ended, source.pending, used[1] === used[0]]).toEqual([[["too large", errorCode.ERROR_MORE_DATA]], 1, false]);
  submit("while another wait may still bring it");
  expect(used[2]).not.toBe(used[0]);
  // A wait that began after the call: what the port had for it would have come by now.
  end(used[1]);
  submit("after it");
  submit("after it, too");
  expect(used.slice(3).toSorted()).toEqual([used[0], used[1]].toSorted());
  end(used[2]);
  end(used[3]);
  end(used[4]);
  expect(ended.slice(1).map(([name]) => name)).toEqual(["again", "while another wait may still bring it", "after it", "after it, too"]);
  source.release();
  end(0n);
});
