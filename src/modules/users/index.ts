export { UserDto } from './dto/user.dto.js';
export { UserNameField } from './dto/user-name.field.js';
export { UsersModule } from './users.module.js';
export { normaliseEmail, UsersService, type Registration, type VerifiedUser } from './users.service.js';
