/** Lint rules: typescript-eslint with types for everything; `any` and forgotten promises are errors. Layout is prettier's. */
import tseslint from 'typescript-eslint'

export default tseslint.config(
  {
    ignores: [
      'bridge/vendor/',
      'benchmarks/peers/',
      'benchmarks/results/',
      'data/',
      'dist/',
      'dist.new/',
      'runs/',
      '.feynkac/',
      '.venv/',
      'eslint.config.mjs',
    ],
  },
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    // A method is handed to Error.captureStackTrace, as the frame below which the user's own line is.
    files: ['bridge/**/*.ts', 'ts/tensor/**/*.ts'],
    rules: { '@typescript-eslint/unbound-method': 'off' },
  },
  {
    // Plain CommonJS that runs before anything is installed. It reads JSON and other people's output, so it meets `any`;
    // tsc still checks it strictly.
    files: ['**/*.js'],
    rules: {
      '@typescript-eslint/no-require-imports': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // `const { join } = require('node:path')` is how CommonJS imports.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
)
