/** Type-checks files that exist only in memory as if they lay beside the package and imported it by name. */
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './blocks'

/** The complaints about the sources (file name to text); none when all is well. */
export function complaintsAbout(sources: Readonly<Record<string, string>>): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object }
  }
  const { options: shared } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const paths = { feynkac: [join(root, 'ts/index.ts')], 'feynkac/*': [join(root, 'ts/*.ts')] }
  const options = { ...shared, types: ['node'], noEmit: true, declaration: false, paths }
  const files = Object.fromEntries(Object.entries(sources).map(([name, text]) => [join(root, name), text]))
  const host = ts.createCompilerHost(options)
  const disk = ts.createCompilerHost(options)
  host.readFile = (path) => files[path] ?? disk.readFile(path)
  host.fileExists = (path) => path in files || disk.fileExists(path)
  host.getSourceFile = (path, target) =>
    path in files ? ts.createSourceFile(path, files[path]!, target) : disk.getSourceFile(path, target)
  const program = ts.createProgram(Object.keys(files), options, host)
  return Object.keys(files).flatMap((path) => {
    const file = program.getSourceFile(path)
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText }) => `${path.slice(root.length + 1)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    )
  })
}
