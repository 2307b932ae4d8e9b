// The published types as a list of names: what each is, its comment, its members with theirs, and who may see it.

import ts from "typescript-5.4";

export interface Member {
  readonly name: string;
  /** Without its comment. */
  readonly text: string;
  readonly comment: string;
}

export interface Declared {
  readonly name: string;
  readonly kind: "function" | "class" | "interface" | "type" | "value";
  /** Whether the door hands it out; else others are made of it. */
  readonly exported: boolean;
  /** Of the first declaration that has one, without its example. */
  readonly comment: string;
  readonly example: string;
  /** Declarations as they are published, without comments; of what has members, the head alone. */
  readonly texts: readonly string[];
  readonly members: readonly Member[];
}

const printer = ts.createPrinter({ removeComments: true });

/** The comment before a node: its text, and what follows `@example`. */
function commentOf(node: ts.Node): { readonly comment: string; readonly example: string } {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1);
  const text = doc === undefined ? "" : doc.getText();
  const plain = text
    .replace(/^\/\*\*|\*\/$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim();
  const [comment = "", example = ""] = plain.split(/^@example\s*/m);
  return { comment: comment.trim(), example: example.trim() };
}

/** A declaration in fewer words: all is readonly, and what may be left out may be undefined. */
const inFewerWords = (text: string): string =>
  text
    .replace(/^declare /, "")
    .replace(/^(\s*)readonly (?=\S+\??: )/gm, "$1")
    .replace(/(\?: [^;]*?) \| undefined(?= \| undefined|;)/g, "$1")
    .replace(/(\?: [^;{]*?) \| undefined(?=[;,)]|$)/gm, "$1")
    .replace(/(\?: )\(((?:[^()]|\([^()]*\))*)\)(?=;|$)/g, "$1$2")
    .replace(/\bOwn(\w+Array)\b/g, "$1");

function kindOf(statement: ts.Statement): Declared["kind"] {
  if (ts.isFunctionDeclaration(statement)) return "function";
  if (ts.isClassDeclaration(statement)) return "class";
  if (ts.isInterfaceDeclaration(statement)) return "interface";
  return ts.isTypeAliasDeclaration(statement) ? "type" : "value";
}

function nameOf(statement: ts.Statement): string {
  const named = ts.isVariableStatement(statement) ? statement.declarationList.declarations[0] : statement;
  return ((named as ts.DeclarationStatement).name as ts.Identifier).text;
}

/** `class X extends Y`, `interface X<T>`: what stands before the members. */
function headOf(statement: ts.ClassDeclaration | ts.InterfaceDeclaration, source: ts.SourceFile): string {
  const empty = ts.isClassDeclaration(statement)
    ? ts.factory.updateClassDeclaration(
        statement,
        statement.modifiers,
        statement.name,
        statement.typeParameters,
        statement.heritageClauses,
        [],
      )
    : ts.factory.updateInterfaceDeclaration(
        statement,
        statement.modifiers,
        statement.name,
        statement.typeParameters,
        statement.heritageClauses,
        [],
      );
  return printer.printNode(ts.EmitHint.Unspecified, empty, source).replace(/\s*\{\s*\}$/, "");
}

/** What a file of published types declares, in the order of its door; then what others are made of. */
export function declarationsIn(text: string): Declared[] {
  const source = ts.createSourceFile("index.d.ts", text, ts.ScriptTarget.ES2022, true);
  const exported: string[] = [];
  const found = new Map<string, ts.Statement[]>();
  for (const statement of source.statements) {
    // What all programs share, as the symbols of `using`, is no name of ours.
    if (ts.isImportDeclaration(statement) || ts.isModuleDeclaration(statement)) continue;
    if (ts.isExportDeclaration(statement)) {
      const clause = statement.exportClause as ts.NamedExports;
      exported.push(...clause.elements.map(({ name }) => name.text));
    } else found.set(nameOf(statement), [...(found.get(nameOf(statement)) ?? []), statement]);
  }
  const inner = [...found.keys()].filter((name) => !exported.includes(name) && !/^Own\w+Array$/.test(name));
  return [...exported.filter((name) => found.has(name)), ...inner].map((name) => {
    const statements = found.get(name) as ts.Statement[];
    const comments = statements.map(commentOf);
    const [first] = statements as [ts.Statement];
    const open = ts.isClassDeclaration(first) || ts.isInterfaceDeclaration(first);
    const print = (node: ts.Node): string => printer.printNode(ts.EmitHint.Unspecified, node, source);
    const members = (open ? [...first.members] : [])
      .filter(({ name: own }) => own === undefined || !ts.isPrivateIdentifier(own))
      .map((member) => ({
        name: member.name?.getText() ?? (ts.isConstructorDeclaration(member) ? "constructor" : "()"),
        text: inFewerWords(print(member)),
        comment: commentOf(member).comment,
      }));
    return {
      name,
      kind: kindOf(first),
      exported: exported.includes(name),
      comment: comments.find(({ comment }) => comment !== "")?.comment ?? "",
      example: comments.find(({ example }) => example !== "")?.example ?? "",
      texts: open ? [inFewerWords(headOf(first, source))] : statements.map((one) => inFewerWords(print(one))),
      members,
    };
  });
}

/** Names without a comment that says what they are: those of the door, what these are made of, and their members. */
export const undocumented = (types: string): string[] =>
  declarationsIn(types).flatMap(({ name, comment, members }) => {
    // One comment is enough for all forms of a call.
    const told = new Set(members.filter(({ comment }) => comment !== "").map(({ name }) => name));
    const untold = members.filter(({ name }) => !told.has(name)).map((member) => `${name}.${member.name}`);
    return comment === "" ? [name, ...untold] : untold;
  });
