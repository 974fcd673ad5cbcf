from tortoise import migrations
from tortoise.migrations import operations as ops
from entrepot.db.models import new_uuid
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

from entrepot.db.operations import RunEither

COLUMNS = ("id", "uuid", "at", "actor", "token_name", "action", "subject", "details", "address")
KEYS = ("token_id", "namespace_id")
SAME = " AND ".join(f"NEW.{name} {{same}} OLD.{name}" for name in COLUMNS)
GONE = " AND ".join(f"(NEW.{name} IS NULL OR NEW.{name} {{same}} OLD.{name})" for name in KEYS)
APPEND_ONLY = {
    # what a foreign key does when its row goes is let through: the event stays, and so does the name of its token
    "sqlite": f"""
        CREATE TRIGGER audit_event_stands BEFORE UPDATE ON audit_event WHEN NOT ({SAME.format(same="IS")} AND {GONE.format(same="IS")})
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        CREATE TRIGGER audit_event_stays BEFORE DELETE ON audit_event BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        """,
    "postgres": f"""
        CREATE FUNCTION audit_event_stands() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF {SAME.format(same="IS NOT DISTINCT FROM")} AND {GONE.format(same="IS NOT DISTINCT FROM")} THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';
        END $$;
        CREATE TRIGGER audit_event_stands BEFORE UPDATE OR DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION audit_event_stands();
        CREATE TRIGGER audit_event_stays BEFORE TRUNCATE ON audit_event FOR EACH STATEMENT EXECUTE FUNCTION audit_event_stands();
        """,
}

# the names of packages that were deleted before names were reserved, in the spelling of PyPI too; who could read them is not known any more
FREED = """
    INSERT INTO freed_package (namespace_id, name_key, freed_at, private)
    SELECT gone.namespace_id, gone.name_key, max(gone.at), TRUE FROM (
        SELECT namespace_id, package, package AS name_key, at FROM (
            SELECT event.namespace_id, lower(substr(event.subject, length(namespace.name) + 2)) AS package, event.at
            FROM audit_event AS event JOIN namespace ON namespace.id = event.namespace_id WHERE event.action = 'package.delete') AS deleted
        UNION ALL SELECT namespace_id, package, replace(replace(package, '_', '-'), '.', '-'), at FROM (
            SELECT event.namespace_id, lower(substr(event.subject, length(namespace.name) + 2)) AS package, event.at
            FROM audit_event AS event JOIN namespace ON namespace.id = event.namespace_id WHERE event.action = 'package.delete') AS deleted
    ) AS gone
    WHERE NOT EXISTS (SELECT 1 FROM package WHERE package.namespace_id = gone.namespace_id AND package.name_key IN (gone.package, gone.name_key))
    AND NOT EXISTS (SELECT 1 FROM binding WHERE binding.namespace_id = gone.namespace_id AND binding.name = gone.name_key)
    GROUP BY gone.namespace_id, gone.name_key
    """
MAIN = """INSERT INTO label (uuid, namespace_id, name, created_at)
    SELECT {uuid}, namespace.id, 'main', namespace.created_at FROM namespace
    WHERE NOT EXISTS (SELECT 1 FROM label WHERE label.namespace_id = namespace.id AND label.name = 'main')"""
EVERYWHERE_MAIN = {
    "sqlite": MAIN.format(
        uuid="""lower(printf('%s-%s-4%s-%s%s-%s', hex(randomblob(4)), hex(randomblob(2)), substr(hex(randomblob(2)), 2),
            substr('89ab', (random() & 3) + 1, 1), substr(hex(randomblob(2)), 2), hex(randomblob(6))))"""
    ),
    "postgres": MAIN.format(uuid="gen_random_uuid()::text"),
}

class Migration(migrations.Migration):
    dependencies = [('models', '0004_incarnations_of_blobs')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Collaborator',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('package', fields.ForeignKeyField('models.Package', source_field='package_id', db_constraint=True, to_field='id', related_name='collaborators', on_delete=OnDelete.CASCADE)),
                ('user', fields.ForeignKeyField('models.Namespace', source_field='user_id', db_constraint=True, to_field='id', related_name='collaborations', on_delete=OnDelete.CASCADE)),
                ('added_at', fields.BigIntField()),
            ],
            options={'table': 'collaborator', 'app': 'models', 'unique_together': (('package', 'user'),), 'indexes': [Index(fields=['user_id'])], 'pk_attr': 'id', 'table_description': 'A user who may write to one package.'},
            bases=['Table'],
        ),
        ops.CreateModel(
            name='FreedNamespace',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name_key', fields.CharField(unique=True, max_length=64)),
                ('freed_at', fields.BigIntField()),
            ],
            options={'table': 'freed_namespace', 'app': 'models', 'pk_attr': 'id', 'table_description': 'The name of a user or an organization that is no more: nobody gets it again.'},
            bases=['Table'],
        ),
        ops.CreateModel(
            name='FreedPackage',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('namespace', fields.ForeignKeyField('models.Namespace', source_field='namespace_id', db_constraint=True, to_field='id', related_name='freed_packages', on_delete=OnDelete.CASCADE)),
                ('name_key', fields.CharField(max_length=255)),
                ('freed_at', fields.BigIntField()),
                ('private', fields.BooleanField()),
                ('moved_to', fields.ForeignKeyField('models.Package', source_field='moved_to_id', null=True, db_constraint=True, to_field='id', related_name='former_names', on_delete=OnDelete.SET_NULL)),
            ],
            options={'table': 'freed_package', 'app': 'models', 'unique_together': (('namespace', 'name_key'),), 'indexes': [Index(fields=['moved_to_id'])], 'pk_attr': 'id', 'table_description': 'The name of a package that was deleted or has moved: only who administers the namespace may take it again.'},
            bases=['Table'],
        ),
        ops.CreateModel(
            name='Group',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('uuid', fields.CharField(default=new_uuid, unique=True, max_length=36)),
                ('namespace', fields.ForeignKeyField('models.Namespace', source_field='namespace_id', db_constraint=True, to_field='id', related_name='groups', on_delete=OnDelete.CASCADE)),
                ('name', fields.CharField(max_length=64)),
                ('name_key', fields.CharField(max_length=64)),
                ('permission', fields.CharField(max_length=8)),
                ('everything', fields.BooleanField()),
                ('created_at', fields.BigIntField()),
            ],
            options={'table': 'member_group', 'app': 'models', 'unique_together': (('namespace', 'name_key'),), 'pk_attr': 'id', 'table_description': 'Inside an organization: members × packages × one permission. `owners` is the one that cannot go.'},
            bases=['Named'],
        ),
        ops.CreateModel(
            name='GroupMember',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('group', fields.ForeignKeyField('models.Group', source_field='group_id', db_constraint=True, to_field='id', related_name='members', on_delete=OnDelete.CASCADE)),
                ('user', fields.ForeignKeyField('models.Namespace', source_field='user_id', db_constraint=True, to_field='id', related_name='memberships', on_delete=OnDelete.CASCADE)),
                ('added_at', fields.BigIntField()),
            ],
            options={'table': 'group_member', 'app': 'models', 'unique_together': (('group', 'user'),), 'indexes': [Index(fields=['user_id'])], 'pk_attr': 'id', 'table_description': 'A user in a group.'},
            bases=['Table'],
        ),
        ops.CreateModel(
            name='GroupPackage',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('group', fields.ForeignKeyField('models.Group', source_field='group_id', db_constraint=True, to_field='id', related_name='packages', on_delete=OnDelete.CASCADE)),
                ('package', fields.ForeignKeyField('models.Package', source_field='package_id', db_constraint=True, to_field='id', related_name='groups', on_delete=OnDelete.CASCADE)),
            ],
            options={'table': 'group_package', 'app': 'models', 'unique_together': (('group', 'package'),), 'indexes': [Index(fields=['package_id'])], 'pk_attr': 'id', 'table_description': 'A package that a group is about.'},
            bases=['Table'],
        ),
        ops.CreateModel(
            name='LoginFailure',
            fields=[
                ('key', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('failures', fields.IntField()),
                ('last_at', fields.BigIntField()),
            ],
            options={'table': 'login_failure', 'app': 'models', 'indexes': [Index(fields=['last_at'])], 'pk_attr': 'key', 'table_description': 'How often logging in to an account, or from an address, has failed since the last success or pause.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Session',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('uuid', fields.CharField(default=new_uuid, unique=True, max_length=36)),
                ('user', fields.ForeignKeyField('models.Namespace', source_field='user_id', db_constraint=True, to_field='id', related_name='sessions', on_delete=OnDelete.CASCADE)),
                ('digest', fields.CharField(unique=True, max_length=64)),
                ('given_at', fields.BigIntField()),
                ('previous_digest', fields.CharField(null=True, unique=True, max_length=64)),
                ('rotated_at', fields.BigIntField(null=True)),
                ('created_at', fields.BigIntField()),
                ('used_at', fields.BigIntField()),
                ('expires_at', fields.BigIntField()),
                ('address', fields.CharField(default='', max_length=64)),
                ('agent', fields.CharField(default='', max_length=255)),
            ],
            options={'table': 'session', 'app': 'models', 'indexes': [Index(fields=['user_id']), Index(fields=['expires_at'])], 'pk_attr': 'id', 'table_description': "A user who has logged in with a password. Only the sha256 of the cookie's secret is stored."},
            bases=['Named'],
        ),
        ops.AddField(
            model_name='User',
            name='organizations',
            field=fields.IntField(null=True),
        ),
        ops.AddField(
            model_name='Namespace',
            name='default_visibility',
            field=fields.CharField(null=True, max_length=8),
        ),
        ops.AlterModelOptions(
            name='Token',
            options={'table': 'token', 'app': 'models', 'indexes': [Index(fields=['namespace_id']), Index(fields=['package_id'])], 'pk_attr': 'id', 'table_description': 'A credential of a user or an organization. Only the sha256 of the secret is stored: the secret has 238 bits of entropy.'},
        ),
        ops.AddField(
            model_name='Token',
            name='package',
            field=fields.ForeignKeyField('models.Package', source_field='package_id', null=True, db_constraint=True, to_field='id', related_name='tokens', on_delete=OnDelete.CASCADE),
        ),
        ops.AddIndex(
            model_name='Token',
            index=Index(fields=['package_id']),
        ),
        ops.AddField(
            model_name='StagedUpload',
            name='session',
            field=fields.ForeignKeyField('models.Session', source_field='session_id', null=True, db_constraint=True, to_field='id', related_name='staged_uploads', on_delete=OnDelete.CASCADE),
        ),
        ops.AddIndex(
            model_name='StagedUpload',
            index=Index(fields=['session_id']),
        ),
        ops.AddField(
            model_name='Tombstone',
            name='moved_to',
            field=fields.ForeignKeyField('models.File', source_field='moved_to_id', null=True, db_constraint=True, to_field='id', related_name='former_paths', on_delete=OnDelete.SET_NULL),
        ),
        ops.AddIndex(
            model_name='Tombstone',
            index=Index(fields=['moved_to_id']),
        ),
        ops.AddField(
            model_name='Token',
            name='made_with',
            field=fields.ForeignKeyField('models.Token', source_field='made_with_id', null=True, db_constraint=True, to_field='id', related_name='made', on_delete=OnDelete.SET_NULL),
        ),
        ops.AddIndex(
            model_name='Token',
            index=Index(fields=['made_with_id']),
        ),
        ops.AddField(
            model_name='AuditEvent',
            name='token_name',
            field=fields.CharField(null=True, max_length=128),
        ),
        ops.RunSQL('UPDATE audit_event SET token_name = (SELECT token.name FROM token WHERE token.id = audit_event.token_id) WHERE token_id IS NOT NULL'),
        ops.RemoveIndex(model_name='AuditEvent', fields=['namespace_id', 'id']),
        ops.AddIndex(
            model_name='AuditEvent',
            index=Index(fields=['namespace_id', 'at', 'uuid']),
        ),
        ops.AddIndex(
            model_name='AuditEvent',
            index=Index(fields=['at', 'uuid']),
        ),
        ops.RunSQL(FREED),
        RunEither(APPEND_ONLY),
        RunEither(EVERYWHERE_MAIN),
    ]
