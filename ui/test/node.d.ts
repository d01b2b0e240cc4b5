/** The little of Node that the tests use: types of all of it are not worth a dependency. */
declare module "node:test" {
  export function test(name: string, run: () => void | Promise<void>): void;
  export function describe(name: string, run: () => void): void;
}
declare module "node:assert/strict" {
  const assert: {
    (value: unknown, message?: string): asserts value;
    equal(actual: unknown, expected: unknown, message?: string): void;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    notEqual(actual: unknown, expected: unknown, message?: string): void;
    ok(value: unknown, message?: string): asserts value;
    match(value: string, pattern: RegExp, message?: string): void;
  };
  export default assert;
}
