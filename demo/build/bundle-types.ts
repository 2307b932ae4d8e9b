// The published types in one file: what the door names, what that mentions, and nothing else. Reads the declarations that the
// compiler wrote for each file of src/ and puts the statements that are reached after one another, each with its comment.
// Two statements of one name are refused instead of renamed: a reader should find the names of the source. What the source
// says in a way that only it understands is put in plain words on the way: see `publish-type.ts`.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript-5.4";
import { disposal, namesIn, type Private, published, wordArrays } from "./publish-type.ts";

/** A file of declarations: what it declares, and where the names come from that it imports or hands on. */
interface Unit {
  readonly declared: ReadonlyMap<string, readonly ts.Statement[]>;
  readonly imported: ReadonlyMap<string, Place>;
  /** Names of an `export { ... }`, and whether as types alone. */
  readonly handed: ReadonlyMap<string, boolean>;
}

interface Place {
  readonly file: string;
  readonly name: string;
}

/** The text of one file of types for what `door`, a file of declarations, exports; what it has from `core` is imported from `index.js`. */
export function bundleTypes(door: string, core?: string): string {
  const units = new Map<string, Unit>();
  const unitOf = (file: string): Unit => {
    const unit = units.get(file) ?? read(file);
    units.set(file, unit);
    return unit;
  };
  const reached = new Map<string, Place>();
  const texts: string[] = [];
  const fromCore = new Set<string>();

  function reach({ file, name }: Place): void {
    if (file === core) {
      fromCore.add(name);
      return;
    }
    const unit = unitOf(file);
    const found = unit.declared.get(name);
    if (found === undefined) {
      const from = unit.imported.get(name);
      if (from !== undefined) reach(from); // else a global, or a name of its own scope
      return;
    }
    const known = reached.get(name);
    if (known !== undefined) {
      if (known.file !== file)
        throw new Error(`Types: "${name}" is declared in ${known.file} and in ${file}. Rename one.`);
      return;
    }
    reached.set(name, { file, name });
    for (const statement of found) {
      const constants = constantsOf(file);
      for (const mentioned of namesIn(statement, constants)) reach({ file, name: mentioned });
      texts.push(published(statement, constants));
    }
  }

  /** The type of a constant that the file sees and that is not handed out itself. */
  function constantsOf(file: string): Private {
    return (name) => {
      const [statement] = unitOf(file).declared.get(name) ?? [];
      if (statement === undefined) {
        const from = unitOf(file).imported.get(name);
        return from === undefined ? undefined : constantsOf(from.file)(from.name);
      }
      if (handed.has(name) || !ts.isVariableStatement(statement)) return undefined;
      return statement.declarationList.declarations[0]?.type;
    };
  }

  const { handed } = unitOf(door);
  if (handed.size === 0) throw new Error(`Types: ${door} hands nothing on. Let it export { ... } from other files.`);
  for (const name of handed.keys()) reach({ file: door, name });
  const missing = [...handed.keys()].filter((name) => !reached.has(name) && !fromCore.has(name));
  if (missing.length > 0) throw new Error(`Types: nothing declares ${missing.join(", ")}.`);
  const list = [...handed].map(([name, typeOnly]) => `  ${typeOnly ? "type " : ""}${name},\n`);
  const imports = fromCore.size === 0 ? "" : `import { ${[...fromCore].sort().join(", ")} } from "./index.js";\n`;
  return `${imports}${core === undefined ? disposal : ""}${wordArrays}${texts.join("\n")}\nexport {\n${list.join("")}};\n`;
}

function read(file: string): Unit {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
  const declared = new Map<string, ts.Statement[]>();
  const imported = new Map<string, Place>();
  const handed = new Map<string, boolean>();
  const fileOf = (path: ts.Expression | undefined): string =>
    join(dirname(file), (path as ts.StringLiteral).text.replace(/\.ts$/, ".d.ts"));
  const take = (from: string, elements: readonly (ts.ImportSpecifier | ts.ExportSpecifier)[]): void => {
    for (const { name, propertyName } of elements) {
      if (propertyName !== undefined)
        throw new Error(`Types: ${file} renames ${propertyName.text}, which is not supported.`);
      imported.set(name.text, { file: from, name: name.text });
    }
  };
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) {
      const named = statement.importClause?.namedBindings;
      if (named !== undefined && ts.isNamedImports(named)) take(fileOf(statement.moduleSpecifier), named.elements);
    } else if (ts.isExportDeclaration(statement)) {
      const clause = statement.exportClause;
      if (clause === undefined) continue; // export {}
      if (!ts.isNamedExports(clause)) throw new Error(`Types: ${file} exports a namespace, which is not supported.`);
      if (statement.moduleSpecifier !== undefined) take(fileOf(statement.moduleSpecifier), clause.elements);
      for (const { name, isTypeOnly } of clause.elements) handed.set(name.text, isTypeOnly || statement.isTypeOnly);
    } else {
      for (const name of namesOf(statement)) declared.set(name, [...(declared.get(name) ?? []), statement]);
    }
  }
  return { declared, imported, handed };
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => (name as ts.Identifier).text);
  }
  const { name } = statement as ts.DeclarationStatement;
  return name === undefined ? [] : [name.text];
}
