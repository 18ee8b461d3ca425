import { headerKey, HeaderList } from "@proxy/http";
import { clientScheme } from "./client-scheme.ts";
import { checkHeader } from "./header-settings.ts";
import type { TransformFactory } from "./transform.ts";
import { when } from "./when.ts";

type Preset = readonly (readonly [name: string, value: string])[];

const hsts = "strict-transport-security";

const presets = new Map<string, Preset>([
  [
    "default",
    [
      ["Strict-Transport-Security", "max-age=31536000"],
      ["X-Content-Type-Options", "nosniff"],
      ["X-Frame-Options", "SAMEORIGIN"],
      ["Referrer-Policy", "strict-origin-when-cross-origin"],
    ],
  ],
  [
    "strict",
    [
      ["Strict-Transport-Security", "max-age=63072000; includeSubDomains"],
      ["X-Content-Type-Options", "nosniff"],
      ["X-Frame-Options", "DENY"],
      ["Referrer-Policy", "no-referrer"],
      ["Content-Security-Policy", "default-src 'self'; base-uri 'self'; frame-ancestors 'none'; object-src 'none'"],
      ["Cross-Origin-Opener-Policy", "same-origin"],
      ["Cross-Origin-Resource-Policy", "same-origin"],
      ["Permissions-Policy", "camera=(), geolocation=(), microphone=()"],
    ],
  ],
]);

/** The fields that the presets know; each may be given a value of its own, or an empty one to leave it out. */
export const securityHeaderNames: readonly string[] = [...(presets.get("strict") ?? [])].map(([name]) => name);

/**
 * `SecurityHeaders: Default` or `Strict` adds what browsers take as instructions, where the destination did not say
 * otherwise; `Override: true` replaces what it said. Strict-Transport-Security goes out over https only (RFC 6797, 7.2).
 */
export const securityHeaders: TransformFactory = {
  key: "SecurityHeaders",
  build(settings, plan) {
    const holds = when(settings, "Always");
    const preset = presets.get(settings.value.toLowerCase());
    const override = (settings.get("Override") ?? "false").toLowerCase();
    if (!settings.only("Override", "When", ...securityHeaderNames) || holds === undefined) return;
    if (preset === undefined) {
      settings.report("bad-security-headers", `transform 'SecurityHeaders' knows Default and Strict, not '${settings.value}'`);
      return;
    }
    if (override !== "true" && override !== "false") {
      settings.report("not-a-boolean", `Override of transform 'SecurityHeaders' is true or false, not '${override}'`);
      return;
    }
    const chosen = new Map(preset);
    for (const name of securityHeaderNames) {
      const own = settings.get(name);
      if (own === undefined) continue;
      if (own === "") chosen.delete(name);
      else if (checkHeader(settings, name, own)) chosen.set(name, own);
    }
    const lines = HeaderList.from(chosen);
    const secureOnly = lines.indexOf(hsts);
    const replaces = override === "true";
    const keys = new Set([...chosen.keys()].map(headerKey));
    plan.response.push((response, ctx) => {
      if (!holds(response.status)) return;
      const { headers } = response;
      const isSecure = clientScheme(ctx) === "https";
      if (replaces) headers.filter((key) => !keys.has(key));
      for (let i = 0; i < lines.size; i++) {
        if (i === secureOnly && !isSecure) continue;
        if (!headers.has(lines.keyAt(i))) headers.appendFrom(lines, i);
      }
    });
  },
};
