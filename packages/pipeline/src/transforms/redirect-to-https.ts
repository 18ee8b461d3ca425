import { HeaderList, isAuthority, portColon } from "@proxy/http";
import { clientScheme } from "./client-scheme.ts";
import type { TransformFactory } from "./transform.ts";

const statuses: ReadonlySet<string> = new Set(["301", "302", "307", "308"]);

/**
 * `RedirectToHttps: <status>` answers requests that came in clear text by the same address with https. `Host` and `Port`
 * say where, if not at the host of the request and 443. What a trusted proxy says of the client's scheme counts.
 */
export const redirectToHttps: TransformFactory = {
  key: "RedirectToHttps",
  build(settings, plan) {
    if (!settings.only("Host", "Port")) return;
    const host = settings.get("Host");
    const port = settings.get("Port") ?? "443";
    const status = settings.value;
    if (!statuses.has(status)) {
      settings.report("bad-redirect", `transform 'RedirectToHttps' takes 301, 302, 307 or 308, not '${status}'`);
      return;
    }
    if (host !== undefined && (!isAuthority(host) || portColon(host) >= 0)) {
      settings.report("bad-redirect", `transform 'RedirectToHttps' has a Host that is none: '${host}'`);
      return;
    }
    if (!isAuthority(`a:${port}`) || Number(port) === 0) {
      settings.report("bad-redirect", `transform 'RedirectToHttps' has a Port that is none: '${port}'`);
      return;
    }
    const suffix = Number(port) === 443 ? "" : `:${port}`;
    const code = Number(status);
    plan.request.push((_outgoing, ctx) => {
      if (clientScheme(ctx) === "https") return;
      const { request, response } = ctx.exchange;
      const own = host ?? hostOf(request.authority);
      if (own === "") {
        response.send({ status: 400, headers: new HeaderList() });
        return;
      }
      const path = request.path === "*" ? "/" : request.path;
      response.send({ status: code, headers: HeaderList.from([["Location", `https://${own}${suffix}${path}${request.query}`]]) });
    });
  },
};

function hostOf(authority: string): string {
  const colon = portColon(authority);
  return colon < 0 ? authority : authority.slice(0, colon);
}
