/** An address to serve at, as `Urls`, `--urls` and an endpoint's `Url` spell it. */
export interface ListenUrl {
  /** As it was given. */
  readonly text: string;
  /** `localhost`, an IP address without brackets, another host name; undefined: every interface (`*` and `+`). */
  readonly host: string | undefined;
  readonly port: number;
  /** Over TLS. */
  readonly secure?: true | undefined;
}

/** `message` says what is wrong with the address: lower case, no trailing stop. */
export class ListenUrlError extends Error {
  override readonly name = "ListenUrlError";
}

export const defaultListenUrl = "http://127.0.0.1:8080";

const shape = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?<host>\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(?::(?<port>\d{1,5}))?\/?$/i;

/** Throws `ListenUrlError`. */
export function parseListenUrl(text: string): ListenUrl {
  const groups = shape.exec(text)?.groups;
  if (groups === undefined) {
    throw new ListenUrlError(`'${text}' is no address to listen on: it looks like http://127.0.0.1:8080 or http://*:80`);
  }
  const scheme = groups["scheme"]!.toLowerCase();
  if (scheme !== "http" && scheme !== "https") throw new ListenUrlError(`'${text}': the scheme has to be http or https`);
  const secure = scheme === "https";
  const port = groups["port"] === undefined ? (secure ? 443 : 80) : Number(groups["port"]);
  if (port > 65_535) throw new ListenUrlError(`'${text}': ports go up to 65535`);
  return { text, host: hostOf(groups["host"]!), port, ...(secure ? { secure } : {}) };
}

/** Several addresses in one text, separated by semicolons. Throws `ListenUrlError`. */
export function parseListenUrls(text: string): readonly ListenUrl[] {
  const parts = text
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  if (parts.length === 0) throw new ListenUrlError("no address to listen on is given");
  return parts.map(parseListenUrl);
}

/** The URL under which clients reach an open socket, without a slash at its end. */
export function displayUrl(host: string, port: number, secure?: boolean): string {
  return `${secure === true ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function hostOf(text: string): string | undefined {
  if (text === "*" || text === "+") return undefined;
  return text.startsWith("[") ? text.slice(1, -1) : text.toLowerCase();
}
