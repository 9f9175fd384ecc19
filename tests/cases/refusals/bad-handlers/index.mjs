export const handler = async (event) => event;
export function other() {}
