// Answers commands of the Python tests with what Bentley's own clients make of the sandbox.
// One JSON object a line on stdin, {operation, baseUrl, token, ...}; one a line back, {result} or {error}.
import { createInterface } from "node:readline";
import management from "@itwin/imodels-client-management";
import itwins from "@itwin/itwins-client";

const { IModelsClient } = management;
const { ITwinsAccessClient } = itwins;

function context({ baseUrl, token }) {
  const client = new IModelsClient({ api: { baseUrl: `${baseUrl}/imodels` } });
  const authorization = async () => ({ scheme: "Bearer", token });
  return { client, authorization };
}

async function collect(iterator) {
  const found = [];
  for await (const entity of iterator) found.push(plain(entity));
  return found;
}

async function pages(iterator) {
  const found = [];
  for await (const page of iterator.byPage()) found.push(page.map(plain));
  return found;
}

// Entities carry functions that fetch related ones; JSON has no place for them.
const plain = (entity) => JSON.parse(JSON.stringify(entity));

const operations = {
  async minimal(command) {
    const { client, authorization } = context(command);
    return collect(client.iModels.getMinimalList({ authorization, urlParams: command.urlParams }));
  },
  async representation(command) {
    const { client, authorization } = context(command);
    return collect(client.iModels.getRepresentationList({ authorization, urlParams: command.urlParams }));
  },
  async pages(command) {
    const { client, authorization } = context(command);
    return pages(client.iModels.getMinimalList({ authorization, urlParams: command.urlParams }));
  },
  async get(command) {
    const { client, authorization } = context(command);
    return plain(await client.iModels.getSingle({ authorization, iModelId: command.iModelId }));
  },
  async creator(command) {
    const { client, authorization } = context(command);
    const iModel = await client.iModels.getSingle({ authorization, iModelId: command.iModelId });
    return plain(await iModel.getCreator());
  },
  async thumbnail(command) {
    const { client, authorization } = context(command);
    const urlParams = command.size ? { size: command.size } : undefined;
    const { size, imageType, image } = await client.thumbnails.download({
      authorization,
      iModelId: command.iModelId,
      urlParams,
    });
    return { size, imageType, image: Buffer.from(image).toString("base64") };
  },
  async upload(command) {
    const { client, authorization } = context(command);
    await client.thumbnails.upload({
      authorization,
      iModelId: command.iModelId,
      thumbnailProperties: { imageType: command.imageType, image: Buffer.from(command.image, "base64") },
    });
    return null;
  },
  async namedVersions(command) {
    const { client, authorization } = context(command);
    const iterator = client.namedVersions.getRepresentationList({ authorization, iModelId: command.iModelId });
    return collect(iterator);
  },
  async changesets(command) {
    const { client, authorization } = context(command);
    const { iModelId, urlParams } = command;
    return collect(client.changesets.getRepresentationList({ authorization, iModelId, urlParams }));
  },
  async users(command) {
    const { client, authorization } = context(command);
    return collect(client.users.getRepresentationList({ authorization, iModelId: command.iModelId }));
  },
  async itwins({ baseUrl, token, query, mode }) {
    return new ITwinsAccessClient(`${baseUrl}/itwins`).queryAsync(`Bearer ${token}`, undefined, {
      ...query,
      resultMode: mode,
    });
  },
  async itwin({ baseUrl, token, id, mode }) {
    return new ITwinsAccessClient(`${baseUrl}/itwins`).getAsync(`Bearer ${token}`, id, mode);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const command = JSON.parse(line);
    answer = { result: await operations[command.operation](command) };
  } catch (error) {
    const { code, statusCode, details, message } = error;
    answer = { error: { code, statusCode, details, message } };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
