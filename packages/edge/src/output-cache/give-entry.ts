/** Answers with what is kept: whole, a part of it, its head alone, or that it has not changed. */
import { HeaderList, type Exchange } from "@proxy/http";
import type { CacheEntry } from "./cache-entry.ts";
import { asks } from "./cache-policy.ts";
import { askedRange, isNotModified } from "./conditions.ts";

/** `bits`: of `asks`. Nothing happens where the exchange is answered or over. Whether the body itself, or a part of it, was handed over. */
export function giveEntry(entry: CacheEntry, { request, response }: Exchange, bits: number, now: number): boolean {
  if (response.started || response.ended) return false;
  const { body, status } = entry.data;
  if ((bits & (asks.notModified | asks.range)) !== 0 && status === 200) {
    if ((bits & asks.notModified) !== 0 && isNotModified(request.headers, entry)) {
      response.send(entry.notModifiedAt(now));
      return false;
    }
    if (request.method === "GET" && (bits & asks.range) !== 0 && giveRange(entry, request.headers, response, now)) return true;
  }
  const head = entry.headAt(now);
  if (request.method === "HEAD" || body.length === 0) response.send(head);
  else if (entry.text !== undefined && response.sendLatin1 !== undefined) response.sendLatin1(head, entry.text);
  else {
    response.send(head, body);
    return true;
  }
  return false;
}

function giveRange(entry: CacheEntry, asked: HeaderList, response: Exchange["response"], now: number): boolean {
  const { body } = entry.data;
  const range = askedRange(asked, body.length, entry);
  if (range === undefined) return false;
  if (range === "unsatisfiable") {
    response.send({ status: 416, headers: HeaderList.from([["Content-Range", `bytes */${body.length}`], ["Content-Length", "0"]]) });
    return true;
  }
  const headers = entry.headAt(now).headers.copy();
  headers.set("Content-Length", String(range.to - range.from));
  headers.set("Content-Range", `bytes ${range.from}-${range.to - 1}/${body.length}`);
  response.send({ status: 206, headers }, body.subarray(range.from, range.to));
  return true;
}
