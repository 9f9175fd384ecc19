// What Lambda's own program does with its client for Node.js up to 22.
const { run } = await import(process.env.CLIENT);
delete process.env.CLIENT;
await run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
