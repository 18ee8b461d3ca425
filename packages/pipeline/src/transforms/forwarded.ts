/** `Forwarded` (RFC 7239): proto, host, for and by in one field. */
import { randomInt } from "node:crypto";
import type { RandomSource } from "@proxy/cluster";
import type { ProxyContext } from "../context.ts";
import { clientScheme } from "./client-scheme.ts";
import { forwardedAction } from "./forwarded-action.ts";
import { copiedHere } from "./request-headers.ts";
import { asciiAuthority, shownAddress } from "./shown-peer.ts";
import { copyFromClient } from "./take-header.ts";
import type { TransformSettings } from "./transform-settings.ts";
import type { TransformFactory } from "./transform.ts";
import { removeXForwarded } from "./x-forwarded.ts";

/** RFC 7239, 6.3: what stands behind the underscore of an obfuscated node. */
const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
const identifierLength = 9;

type NodeName = "Random" | "Unknown" | "Ip";
type NodePort = "none" | "Port" | "RandomPort";

interface NodeFormat {
  readonly name: NodeName;
  readonly port: NodePort;
}

const formats = new Map<string, NodeFormat | undefined>([["none", undefined]]);
for (const name of ["Random", "Unknown", "Ip"] as const) {
  formats.set(name.toLowerCase(), { name, port: "none" });
  for (const port of ["Port", "RandomPort"] as const) formats.set(`${name}And${port}`.toLowerCase(), { name, port });
}

const partNames: ReadonlySet<string> = new Set(["for", "by", "host", "proto"]);
const defaultFormat = "Random";

/** The form with identifiers from `random`, which gives whole numbers below its argument. */
export function forwardedWith(random: RandomSource): TransformFactory {
  return {
    key: "Forwarded",
    build(settings, plan) {
      if (!settings.only("ForFormat", "ByFormat", "Action")) return;
      const parts = partsOf(settings);
      const forFormat = formatOf(settings, "ForFormat");
      const byFormat = formatOf(settings, "ByFormat");
      const action = forwardedAction(settings, "Action", settings.get("Action") ?? "Set");
      if (parts === undefined || forFormat === "wrong" || byFormat === "wrong" || action === undefined) return;
      plan.forwardedConfigured = true;
      const write = writer(parts, forFormat, byFormat, random, action === "Append");
      if (action === "Off" || write === undefined) return;
      const isCopied = copiedHere(plan);
      plan.request.push((outgoing, ctx) => {
        const { headers } = outgoing;
        if (action !== "Append") headers.remove("forwarded");
        else if (!isCopied()) copyFromClient(headers, "forwarded", ctx);
        const value = action === "Remove" ? "" : write(ctx);
        if (value !== "") headers.append("Forwarded", value);
      });
      removeXForwarded(plan);
    },
  };
}

/**
 * `Forwarded: "for,host,proto,by"` with `ForFormat`, `ByFormat` and `Action` (default Set). Identifiers are new with
 * each request.
 */
export const forwarded: TransformFactory = forwardedWith((below) => randomInt(below));

type Writer = (ctx: ProxyContext) => string;

function writer(
  parts: ReadonlySet<string>,
  forFormat: NodeFormat | undefined,
  byFormat: NodeFormat | undefined,
  random: RandomSource,
  appends: boolean,
): Writer | undefined {
  const writers: Writer[] = [];
  if (parts.has("proto")) writers.push((ctx) => `proto=${appends ? ctx.exchange.request.scheme : clientScheme(ctx)}`);
  if (parts.has("host")) {
    writers.push((ctx) => {
      const host = asciiAuthority(ctx.exchange.request.authority);
      return host === undefined ? "" : `host="${host}"`;
    });
  }
  if (parts.has("for") && forFormat !== undefined) {
    writers.push(({ exchange: { clientAddress, connection } }) =>
      // After what the peer, a proxy that is believed, says itself comes the peer; otherwise the client, whose port nobody knows.
      appends || clientAddress === undefined
        ? `for=${node(forFormat, connection.remoteAddress, connection.remotePort, random)}`
        : `for=${node(forFormat, clientAddress, undefined, random)}`,
    );
  }
  if (parts.has("by") && byFormat !== undefined) {
    writers.push(({ exchange: { connection } }) => `by=${node(byFormat, connection.localAddress, connection.localPort, random)}`);
  }
  if (writers.length === 0) return undefined;
  return (ctx) => {
    let text = "";
    for (const write of writers) {
      const piece = write(ctx);
      if (piece !== "") text += text === "" ? piece : `;${piece}`;
    }
    return text;
  };
}

/** RFC 7239, 6: quoted where a colon or a bracket stands in it. */
function node(format: NodeFormat, address: string | undefined, port: number | undefined, random: RandomSource): string {
  const shown = format.name === "Ip" ? shownAddress(address) : undefined;
  const isIPv6 = shown !== undefined && shown.includes(":");
  const name = format.name === "Random" ? identifier(random) : shown === undefined ? "unknown" : isIPv6 ? `[${shown}]` : shown;
  if (format.port === "RandomPort") return `"${name}:${identifier(random)}"`;
  if (format.port === "Port" && port !== undefined && port !== 0) return `"${name}:${port}"`;
  return isIPv6 ? `"${name}"` : name;
}

function identifier(random: RandomSource): string {
  let text = "_";
  for (let i = 0; i < identifierLength; i++) text += alphabet.charAt(random(alphabet.length));
  return text;
}

function partsOf(settings: TransformSettings): ReadonlySet<string> | undefined {
  const names = settings.value.split(/[, ]+/).filter((name) => name !== "");
  const unknown = names.filter((name) => !partNames.has(name.toLowerCase()));
  if (unknown.length === 0) return new Set(names.map((name) => name.toLowerCase()));
  settings.report(
    "bad-forwarded-part",
    `transform 'Forwarded' has no part '${unknown.join("', '")}': known are ${[...partNames].join(", ")}`,
  );
  return undefined;
}

function formatOf(settings: TransformSettings, key: string): NodeFormat | undefined | "wrong" {
  const name = settings.get(key) ?? defaultFormat;
  if (formats.has(name.toLowerCase())) return formats.get(name.toLowerCase());
  settings.report(
    "bad-node-format",
    `transform 'Forwarded' has no ${key} '${name}'`,
    "known are Random, Unknown and Ip, alone or with AndPort or AndRandomPort, and None",
  );
  return "wrong";
}
