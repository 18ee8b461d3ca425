/**
 * Files of a folder, for GET and HEAD.
 *
 * 1. The path, without the policy's `RequestPath`, names a file below the folder: it is the answer, with its ETag, ranges and conditions (RFC 9110, 13 and 14).
 *    A folder is answered with its `index.html`; without the slash at its end the client is sent there.
 * 2. Nothing that leads out of the folder is a file: dot segments in whatever encoding, names that begin with a dot, symbolic links to elsewhere. On Windows neither is what it opens by another name.
 * 3. No file: the request goes on to the route's cluster. A route that has none answers with the fallback to browsers on their way to a page, and 404 to others.
 */
import { ReadStream } from "node:fs";
import { realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import send from "@fastify/send";
import type { StaticFilesPolicyConfig } from "@proxy/config";
import { HeaderList, type Exchange, type RequestHead } from "@proxy/http";
import type { RouteModel, Step } from "@proxy/pipeline";
import { refuse } from "../exchange/answers.ts";

/** The step `static-files` with one policy for all routes. */
export function staticFilesStep(policy: Omit<StaticFilesPolicyConfig, "name">): Step {
  const bind = staticFilesBinder({ name: "default", ...policy });
  return { name: "static-files", bind, run: (ctx, next) => next(ctx) };
}

/** What serves the files of `policy`, for each route. */
export function staticFilesBinder(policy: StaticFilesPolicyConfig): (route: RouteModel) => Step["run"] {
  const folder = new Folder(policy);
  return ({ config, answer }) => {
    const goesOn = Boolean(config.clusterId) || Boolean(config.trafficSplit) || answer !== undefined;
    return async (ctx, next) => {
      const { exchange } = ctx;
      const { method } = exchange.request;
      const isAsked = method === "GET" || method === "HEAD";
      if (isAsked && (await folder.answer(exchange))) return;
      if (goesOn) {
        await next(ctx);
        return;
      }
      if (exchange.response.started || exchange.response.ended) return;
      if (isAsked && wantsPage(exchange.request) && (await folder.answerFallback(exchange))) return;
      const status = isAsked ? 404 : 405;
      exchange.response.send({ status, headers: HeaderList.from([["Content-Length", "0"], ...(isAsked ? [] : [["Allow", "GET, HEAD"] as const])]) });
    };
  };
}

/** A browser on its way to a page, and not a script that misses its data, nor a page that misses a part. */
function wantsPage({ headers, path }: RequestHead): boolean {
  // Browsers say what they are about (Fetch Metadata); other clients do not.
  const mode = headers.get("sec-fetch-mode");
  if ((mode !== undefined && mode !== "navigate") || parts.test(path)) return false;
  return headers.getAll("accept").some((value) => value.split(",").some(isPage));
}

/** What pages are made of: one that is not there must not be a page under its name, least of all one that somebody keeps. */
const parts = /\.(?:avif|bmp|cjs|css|csv|eot|gif|ico|jpe?g|js|json|jsonld|map|md|mjs|mp3|mp4|ogg|otf|pdf|png|svg|ts|tsx|ttf|txt|wasm|webm|webmanifest|webp|woff2?|xml|zip)$/i;

function isPage(range: string): boolean {
  const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
  return (type === "text/html" || type === "application/xhtml+xml") && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
}

/** On Windows: streams, short names of others, devices, and dots and blanks at an end, which it drops. */
const aliases = /[:\\]|~\d|[. ](?:\/|$)|(?:^|\/)(?:con|prn|aux|nul|conin\$|conout\$|com[\d\u00b9\u00b2\u00b3]|lpt[\d\u00b9\u00b2\u00b3])(?:[./]|$)/i;

/** Whether `path`, as in a request, may open a file under a name that is not its own. */
export function isAlias(path: string, platform: NodeJS.Platform): boolean {
  if (platform !== "win32") return false;
  try {
    return aliases.test(decodeURIComponent(path));
  } catch {
    return true;
  }
}

/** What the library looks at. */
const looked = ["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "cache-control"];

class Folder {
  readonly #root: string;
  readonly #requestPath: string;
  readonly #fallback: string | undefined;
  readonly #maxAge: number;

  constructor({ root = ".", requestPath, fallback, maxAge = 0 }: StaticFilesPolicyConfig) {
    this.#root = resolve(root);
    this.#requestPath = requestPath ?? "";
    this.#fallback = fallback || undefined;
    this.#maxAge = maxAge;
  }

  /** Whether there was a file. */
  async answer(exchange: Exchange): Promise<boolean> {
    const { path } = exchange.request;
    const prefix = this.#requestPath;
    if (!path.startsWith(prefix) || (path.length > prefix.length && path.charCodeAt(prefix.length) !== 0x2f)) return false;
    const name = path.slice(prefix.length) || "/";
    return !isAlias(name, process.platform) && this.#send(exchange, name, this.#maxAge);
  }

  async answerFallback(exchange: Exchange): Promise<boolean> {
    return this.#fallback !== undefined && this.#send(exchange, `/${encodeURI(this.#fallback)}`, 0);
  }

  async #send(exchange: Exchange, path: string, maxAge: number): Promise<boolean> {
    const { request, response } = exchange;
    const headers = Object.fromEntries(looked.flatMap((key) => (request.headers.has(key) ? [[key, request.headers.getAll(key).join(", ")]] : [])));
    // The library asks for no more of a request than this.
    const asked = { method: request.method, headers } as unknown as Readable;
    const found = await send(asked, path, { root: this.#root, dotfiles: "ignore", maxAge, highWaterMark: 65_536 });
    // At once: an error of a stream that nobody listens to ends the process.
    const opening = openingOf(found.stream);
    if (response.started || response.ended) {
      found.stream.destroy();
      return true;
    }
    if (found.type === "directory") {
      found.stream.destroy();
      // One slash: two would be another host.
      const location = `${request.path.replace(/^\/+/, "/")}/${request.query}`;
      response.send({ status: 301, headers: HeaderList.from([["Location", location], ["Content-Length", "0"]]) });
      return true;
    }
    const isFile = found.type === "file" ? await this.#isInside(found.metadata.path) : found.statusCode === 412 || found.statusCode === 416;
    if (!isFile || response.started || response.ended) {
      found.stream.destroy();
      return isFile;
    }
    const fields = HeaderList.from(Object.entries(found.headers).map(([name, value]) => [name, String(value)] as const));
    if (found.type === "error") {
      // Its page is the library's own: nobody asked for that.
      found.stream.destroy();
      const range = fields.get("content-range");
      response.send({ status: found.statusCode, headers: HeaderList.from([...(range === undefined ? [] : [["Content-Range", range] as const]), ["Content-Length", "0"]]) });
      return true;
    }
    const fault = await opening;
    if (fault !== undefined || response.started || response.ended) {
      found.stream.destroy();
      // Gone between the look at it and now.
      if (fault?.code === "ENOENT") return false;
      if (fault !== undefined && !response.started && !response.ended) refuse(exchange, fault.code === "EACCES" || fault.code === "EPERM" ? 403 : 503);
      return true;
    }
    fields.append("X-Content-Type-Options", "nosniff");
    if (request.method === "HEAD" || found.statusCode === 304) {
      found.stream.destroy();
      response.start({ status: found.statusCode, headers: fields });
      response.end();
      return true;
    }
    response.start({ status: found.statusCode, headers: fields });
    await relay(found.stream, exchange);
    return true;
  }

  async #isInside(file: string): Promise<boolean> {
    try {
      const [root, real] = await Promise.all([realpath(this.#root), realpath(file)]);
      return real.startsWith(root.endsWith(sep) ? root : root + sep);
    } catch {
      return false;
    }
  }
}

/** Resolves when the file is open, or with why it cannot be; at once where there is none to open. Hears all that `stream` says later, too. */
function openingOf(stream: Readable): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    stream.on("error", resolve);
    stream.on("close", () => resolve(undefined));
    if (stream instanceof ReadStream) stream.on("open", () => resolve(undefined));
    else resolve(undefined);
  });
}

/** Resolves when all of it is written, or nobody wants it any more. */
function relay(stream: Readable, exchange: Exchange): Promise<void> {
  const { response } = exchange;
  const { promise, resolve: done } = Promise.withResolvers<void>();
  stream.on("data", (chunk: Uint8Array) => {
    if (response.write(chunk)) return;
    stream.pause();
    response.onDrain(() => stream.resume());
  });
  stream.on("end", () => response.end());
  stream.on("error", (error) => response.abort(error));
  stream.on("close", done);
  exchange.onComplete(() => stream.destroy());
  return promise;
}
