// npm run api: docs/api.txt, what the package offers as text that is read in a diff. The published types, by name and without comments.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript-5.4";
import { undocumented } from "../site/docs/declarations.ts";
import { entries } from "./entries.ts";
import { writeTypes } from "./write-types.ts";

export const API = fileURLToPath(new URL("../../docs/api.txt", import.meta.url));

/** What a folder with published types offers: the core, then each entry point under its name. */
export function apiIn(folder: string): string {
  const typesOf = (name: string): string => apiOf(readFileSync(join(folder, `${name}.d.ts`), "utf8"));
  return [typesOf("index"), ...entries.map((name) => `// gradus/${name}\n${typesOf(name)}`)].join("\n");
}

/** Public names without a comment, by the file that hands them out. */
export function undocumentedIn(folder: string): string[] {
  return ["index", ...entries].flatMap((name) =>
    undocumented(readFileSync(join(folder, `${name}.d.ts`), "utf8")).map((one) => `${name}: ${one}`),
  );
}

/** The declarations of a file of types, in the order of their names. */
function apiOf(types: string): string {
  const source = ts.createSourceFile("index.d.ts", types, ts.ScriptTarget.ES2022, true);
  const printer = ts.createPrinter({ removeComments: true });
  const declared = source.statements.filter((one) => !ts.isExportDeclaration(one) && !ts.isImportDeclaration(one));
  const texts = declared.map((one) => ({
    name: nameOf(one),
    text: printer.printNode(ts.EmitHint.Unspecified, one, source),
  }));
  return `${texts
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ text }) => text.replace(/^export (?=declare|interface|type)/, "").replace(/^declare /, ""))
    .join("\n")}\n`;
}

function nameOf(statement: ts.Statement): string {
  const named = ts.isVariableStatement(statement) ? statement.declarationList.declarations[0] : statement;
  return ((named as ts.DeclarationStatement).name as ts.Identifier).text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = mkdtempSync(join(tmpdir(), "gradus-api-"));
  try {
    writeTypes(folder);
    writeFileSync(API, apiIn(folder));
    console.log("docs/api.txt is written: read its diff.");
    for (const name of undocumentedIn(folder)) console.log(`${name} has no comment.`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
