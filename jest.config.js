/**
 * ts-jest only strips types here (tsc checks them): about 10 ms a file, once. The target is that of tsconfig.json, so that
 * async functions keep their own lines in stack traces.
 */
/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      {
        tsconfig: {
          target: 'es2022',
          module: 'commonjs',
          moduleResolution: 'node10',
          isolatedModules: true,
          esModuleInterop: true,
          resolveJsonModule: true,
          sourceMap: true,
        },
        diagnostics: false,
      },
    ],
  },
  testTimeout: 180000,
}
