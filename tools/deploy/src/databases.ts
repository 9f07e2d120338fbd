import { services } from '@manifold/contracts';
import { createDatabase } from '@manifold/infrastructure';

/** Makes a database and two roles for every service. Safe to run again: data stays, passwords are set anew. */
const postgresUrl = required('POSTGRES_URL');
for (const service of services) {
  const name = service.replaceAll('-', '_');
  await createDatabase(
    { url: postgresUrl },
    {
      name: `manifold_${name}`,
      ownerRole: `manifold_${name}_owner`,
      appRole: `manifold_${name}`,
      passwords: {
        owner: required(`${name.toUpperCase()}_OWNER_PASSWORD`),
        app: required(`${name.toUpperCase()}_PASSWORD`),
      },
    },
  );
}
process.stdout.write(`${services.length} databases are ready\n`);

function required(variable: string): string {
  const value = process.env[variable];
  if (value) return value;
  process.stderr.write(`${variable} is missing\n`);
  process.exit(1);
}
