/** The reason why the gateway cannot run on this version of Node, or undefined when it can. */
export declare function unsupportedNodeMessage(version: string): string | undefined;
