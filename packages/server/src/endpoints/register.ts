// POST /auth/register: a person makes their own account. Served only where the settings say so.
import type { Register } from '../grants/registration.ts';
import { userAnswer } from '../http/answers.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed, emailField, nameField, passwordField, userSchema } from '../http/schemas.ts';

export function registerEndpoint(register: Register): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/register',
    access: 'public',
    tag: 'Sign-in',
    summary: 'Make an account for oneself, without roles',
    body: closed({ username: nameField, password: passwordField, email: Type.Optional(emailField) }),
    responses: { 201: userSchema },
    async handle({ body, origin, reply }) {
      const user = await register(body, origin);
      reply.code(201);
      return userAnswer(user);
    },
  });
}
