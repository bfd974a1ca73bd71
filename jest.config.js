module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.[tj]s$': ['ts-jest', { tsconfig: { allowJs: true, checkJs: false, isolatedModules: true, declaration: false, module: 'commonjs', moduleResolution: 'node10' }, diagnostics: false }] },
  transformIgnorePatterns: ['/node_modules/', '/bridge/vendor/'],
  testTimeout: 60000,
}
