// Loaded into every supervised process: its standard input is held open by the supervisor, so its
// end means that the supervisor is gone, however it went.
process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.on('error', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.resume();
process.stdin.unref?.();
