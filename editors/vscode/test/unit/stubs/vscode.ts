// The part of VS Code's API that modules without an editor use: texts in English.

export const l10n = {
  t: (message: string, ...values: (string | number)[]): string =>
    message.replaceAll(/\{(\d+)\}/g, (_, at: string) => String(values[Number(at)])),
};
