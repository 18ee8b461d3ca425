/**
 * Host patterns of routes: `host`, `host:port`, `*.suffix`, `*`, each with an optional port or `:*` (ASP.NET's RequireHost), and
 * as an extension a bracketed IPv6 address is refused with its own reason, since ASP.NET cannot parse it either.
 */
import { domainToASCII } from "node:url";

/** Why `pattern` is no host pattern, or undefined when it is one. The empty pattern is not asked about. */
export function hostPatternFault(pattern: string): string | undefined {
  if (pattern.includes("://")) return "it has a scheme; write host or host:port";
  if (pattern.startsWith("[")) return "IPv6 addresses cannot be matched by host";
  const colon = pattern.indexOf(":");
  const host = colon === -1 ? pattern : pattern.slice(0, colon);
  if (colon !== -1) {
    const port = pattern.slice(colon + 1);
    if (port !== "*" && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
      return "the port is neither a number from 1 to 65535 nor '*'";
    }
  }
  if (host === "*") return undefined;
  const name = host.startsWith("*.") ? host.slice(2) : host;
  if (name === "") return "the host is empty";
  if (name.includes("*")) return "'*' stands for whole labels at the start only: '*' or '*.example.com'";
  if (name.split(".").includes("")) return "a label is empty";
  if (/[\s/\\@?#[\]<>^|%"'`{}]/.test(name)) return "it has a character that no host has";
  // Names beyond ASCII must have a punycode form, else no request can carry them.
  if (/[^\u0020-\u007e]/.test(name) && domainToASCII(name) === "") return "it is no valid international name";
  return undefined;
}
