// Finds the texts of the extension's code: those that can be translated, and those that cannot.
import ts from 'typescript';

function parse(name: string, code: string): ts.SourceFile {
  return ts.createSourceFile(name, code, ts.ScriptTarget.Latest, true);
}

function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  for (const child of node.getChildren()) yield* nodesOf(child);
}

const calleeOf = (node: ts.CallExpression) => node.expression.getText();
const isTranslation = (node: ts.Node) => ts.isCallExpression(node) && /^(vscode\.l10n\.)?t$/.test(calleeOf(node));

/** The messages that code passes to `vscode.l10n.t`. */
export function messagesOf(name: string, code: string): string[] {
  return [...nodesOf(parse(name, code))].flatMap((node) => {
    if (!ts.isCallExpression(node) || !isTranslation(node)) return [];
    const [message] = node.arguments;
    return message && ts.isStringLiteralLike(message) ? [message.text] : [];
  });
}

/** What users do not read: the log, which is for reports; errors of the code itself; modules. */
function isHidden(node: ts.Node): boolean {
  return (
    (ts.isCallExpression(node) && /(^|\.)log\.\w+$/.test(calleeOf(node))) ||
    (ts.isNewExpression(node) && node.expression.getText() === 'Error') ||
    ts.isImportDeclaration(node) ||
    ts.isTypeNode(node)
  );
}

/** The literal without tags, which a literal can begin or end inside of. */
const withoutTags = (text: string) =>
  text
    .replaceAll(/<[^<>]*>/g, '\n')
    .replace(/<[^<>]*$/, '')
    .replace(/^[^<>]*"[^<>]*>/, '');

/** Two words in a row are a text for people. */
const isText = (literal: string) => /(^|[^\w.-])[A-Za-z]{2,}[,;:.]? [a-z]{2,}/.test(withoutTags(literal));

/** Texts that cannot be translated. */
export function plainTextsOf(name: string, code: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node) => {
    if (isTranslation(node) || isHidden(node)) return;
    const isLiteral =
      ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node);
    if (isLiteral && isText(node.text)) found.push(node.text);
    for (const child of node.getChildren()) visit(child);
  };
  visit(parse(name, code));
  return found;
}
