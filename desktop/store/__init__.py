"""The till's database: tables, migrations, the one writer, reading."""
