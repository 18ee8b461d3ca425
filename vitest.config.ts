import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

// Siblings resolve to their sources, so tests never need a build.
const conditions = ["@proxy/source", ...defaultServerConditions];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["{packages,apps,tooling,examples}/*/test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/test/system/**"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
