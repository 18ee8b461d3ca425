import { createReverseProxy, createTransformer, transforms, type TransformProvider } from "@proxy/pipeline";

// pathRewrite: { "^/api/old": "/api/new", "^/remove/me": "" }
export const rewritten = createTransformer([
  transforms.pathRegex("^/api/old", { replace: "/api/new" }),
  transforms.pathRemovePrefix("/remove/me"),
]);

// pathRewrite: (path, req) => …
export const tenantInPath = createTransformer([], {
  request(exchange, outgoing) {
    const tenant = exchange.request.headers.get("x-tenant");
    if (tenant !== undefined) outgoing.path = `/${encodeURIComponent(tenant)}${outgoing.path}`;
  },
});

// The same for all routes of a reverse proxy that say so
const tenants: TransformProvider = {
  apply(builder) {
    if (builder.route.metadata?.["TenantInPath"] !== "yes") return;
    builder.request((outgoing, ctx) => {
      const tenant = ctx.exchange.request.headers.get("x-tenant");
      if (tenant !== undefined) outgoing.path = `/${encodeURIComponent(tenant)}${outgoing.path}`;
    });
  },
};

export const createTenantProxy = (address: string) =>
  createReverseProxy({
    config: {
      routes: { all: { clusterId: "all", match: { path: "/{**rest}" }, metadata: { TenantInPath: "yes" } } },
      clusters: { all: { destinations: { one: { address } } } },
    },
    transformProviders: [tenants],
  });
