// A declaration as it is published. Constants of the engine's rooms that types are made of (`keyof typeof table`) are replaced by
// what they say; arrays of words get names that hold from TypeScript 5.4 on; an option may be given as undefined, which
// means the same as leaving it out, also where a reader's compiler tells the two apart (exactOptionalPropertyTypes).

import ts from "typescript-5.4";

/** The type of a constant that is not published, by the name under which a statement sees it. */
export type Private = (name: string) => ts.TypeNode | undefined;

const arrays = ["Float32Array", "Uint32Array", "Uint8Array"];

/** Since TypeScript 5.7 an array of words says which memory it has, and before that it cannot. */
export const wordArrays = arrays
  .map(
    (name) => `/** A ${name} with an ArrayBuffer of its own. */\ntype Own${name} = ReturnType<typeof ${name}.from>;\n`,
  )
  .join("");

/** What `using` calls has a name since TypeScript 5.2, where a program asks for it. */
export const disposal = `declare global {
    interface SymbolConstructor {
        readonly dispose: unique symbol;
        readonly asyncDispose: unique symbol;
    }
}
`;

/** What stands for a type in the published text, and the part of the tree that it stands for; undefined: the type itself. */
function inPlainWords(node: ts.Node, constants: Private): string | undefined {
  if (
    ts.isTypeReferenceNode(node) &&
    node.typeArguments?.length === 1 &&
    node.typeArguments[0]?.getText() === "ArrayBuffer"
  ) {
    const name = node.typeName.getText();
    if (!arrays.includes(name))
      throw new Error(`Types: ${name} is not known as an array of words. Add it to the list.`);
    return `Own${name}`;
  }
  if (ts.isTypeOperatorNode(node) && ts.isTypeQueryNode(node.type)) {
    const type = constants(node.type.exprName.getText());
    if (type === undefined) return undefined;
    if (!ts.isTypeLiteralNode(type))
      throw new Error(`Types: ${node.getText()} stands for a table that has no plain keys.`);
    return type.members.map((member) => JSON.stringify(member.name?.getText().replace(/^"|"$/g, ""))).join(" | ");
  }
  if (ts.isIndexedAccessTypeNode(node) && ts.isParenthesizedTypeNode(node.objectType)) {
    const query = node.objectType.type;
    const type = ts.isTypeQueryNode(query) ? constants(query.exprName.getText()) : undefined;
    const list = type !== undefined && ts.isTypeOperatorNode(type) ? type.type : type;
    if (list === undefined) return undefined;
    if (!ts.isTupleTypeNode(list))
      throw new Error(`Types: ${node.getText()} stands for a list whose entries are not known.`);
    return list.elements.map((element) => element.getText()).join(" | ");
  }
  return undefined;
}

/** The names that a statement takes from around it, and more: names of its own that are declared nowhere lead nowhere. */
export function namesIn(statement: ts.Statement, constants: Private): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (inPlainWords(node, constants) !== undefined) return;
    if (ts.isImportTypeNode(node))
      throw new Error(`Types: ${node.getText()} stands for a type without a name. Name it.`);
    const { parent } = node;
    const isLabel =
      (parent as ts.NamedDeclaration | undefined)?.name === node ||
      (ts.isQualifiedName(parent) && parent.right === node);
    if (ts.isIdentifier(node) && !isLabel) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(statement, visit);
  return names;
}

/** The text of a statement, without `export`: a list at the end of the file says that. */
export function published(statement: ts.Statement, constants: Private): string {
  const start = statement.getFullStart();
  const edits: { readonly at: number; readonly until: number; readonly text: string }[] = [];
  for (const modifier of (ts.canHaveModifiers(statement) && ts.getModifiers(statement)) || []) {
    if (modifier.kind !== ts.SyntaxKind.ExportKeyword) continue;
    edits.push({ at: modifier.getStart(), until: modifier.getEnd() + 1, text: "" });
  }
  const visit = (node: ts.Node): void => {
    const text = inPlainWords(node, constants);
    if (text !== undefined) edits.push({ at: node.getStart(), until: node.getEnd(), text });
    else if (ts.isPropertySignature(node) && node.questionToken !== undefined && node.type !== undefined) {
      const type = node.type;
      const isOpen = ts.isFunctionTypeNode(type) || ts.isConditionalTypeNode(type);
      if (isOpen) edits.push({ at: type.getStart(), until: type.getStart(), text: "(" });
      ts.forEachChild(node, visit);
      edits.push({ at: type.getEnd(), until: type.getEnd(), text: `${isOpen ? ")" : ""} | undefined` });
    } else ts.forEachChild(node, visit);
  };
  visit(statement);
  let text = statement.getSourceFile().text.slice(start, statement.getEnd());
  for (const edit of edits.toReversed())
    text = text.slice(0, edit.at - start) + edit.text + text.slice(edit.until - start);
  return text.trimStart();
}
