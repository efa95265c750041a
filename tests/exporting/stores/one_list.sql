BEGIN TRANSACTION;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('account','{"id": "5a4db0c5-0000-4000-a000-000000000001", "company": "Sandbox Shop"}');
INSERT INTO "meta" VALUES('binding','{"command": "giftcards export", "file": "{FOLDER}/cards.csv", "--base-url": "http://sandbox.test", "filters": [{}], "--page-size": 5, "--extra": false, "columns": ["giftcard_uuid", "type", "hash", "amount_in_cents", "active", "upgradeable", "expiration_date", "giftcard_program_uuid", "giftcard_program_name"]}');
INSERT INTO "meta" VALUES('schema','1');
CREATE TABLE pages (
    walk INTEGER NOT NULL, pass INTEGER NOT NULL, page INTEGER NOT NULL, size INTEGER NOT NULL,
    rows INTEGER NOT NULL, nameless INTEGER NOT NULL, last_page INTEGER, total INTEGER, digest TEXT,
    flaw TEXT, read_at REAL NOT NULL, PRIMARY KEY (walk, pass, page)
) WITHOUT ROWID;
INSERT INTO "pages" VALUES(1,1,1,5,5,0,5,24,'53d99ca59dbe9ebfa8c10969',NULL,1800000000.0);
INSERT INTO "pages" VALUES(1,1,2,5,5,0,5,24,'cc3363ace90dd5039f9c109f',NULL,1800000000.0);
INSERT INTO "pages" VALUES(1,1,3,5,5,0,5,24,'d6119a0f1c08cc55834db8e2',NULL,1800000000.0);
INSERT INTO "pages" VALUES(1,1,4,5,5,0,5,24,'c12abe56eca8da7d6e469554',NULL,1800000000.0);
INSERT INTO "pages" VALUES(1,1,5,5,4,0,5,24,'b75e6fbff638bbabddd20b5f',NULL,1800000000.0);
INSERT INTO "pages" VALUES(1,2,1,5,5,0,5,24,'53d99ca59dbe9ebfa8c10969',NULL,1800000000.0);
CREATE TABLE readings (
    walk INTEGER NOT NULL, pass INTEGER NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL, watched INTEGER,
    read_at REAL NOT NULL, body TEXT NOT NULL
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, started_at REAL NOT NULL, finished_at REAL, exit_code INTEGER,
    sent INTEGER NOT NULL DEFAULT 0, retried INTEGER NOT NULL DEFAULT 0, throttled INTEGER NOT NULL DEFAULT 0
);
INSERT INTO "runs" VALUES(1,1800000000.0,1800000000.0,4,8,0,0);
CREATE TABLE seen (
    walk INTEGER NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL,
    first_pass INTEGER NOT NULL, last_pass INTEGER NOT NULL, gone INTEGER, was INTEGER, watched INTEGER,
    read_at REAL NOT NULL, body TEXT NOT NULL, PRIMARY KEY (key, walk)
) WITHOUT ROWID;
INSERT INTO "seen" VALUES(1,'0f777dfc-2cb2-42e4-ae45-2dec89025cb1',22,1,1,NULL,5000,5000,1800000000.0,'[["0f777dfc-2cb2-42e4-ae45-2dec89025cb1","DIGITAL","LKHSCUR7O",5000,true,false,null,"e4423c80-2499-44df-adff-2dec89025cb3","Program 2"],null]');
INSERT INTO "seen" VALUES(1,'1426d4e8-c849-4132-a32d-2dec89025cab',12,1,1,NULL,2500,2500,1800000000.0,'[["1426d4e8-c849-4132-a32d-2dec89025cab","DIGITAL","BL3V64DRM",2500,true,false,"2027-03-10T00:00:00+00:00","9ef8f507-69ae-4a62-a62f-2dec89025cb0","Program 1"],null]');
INSERT INTO "seen" VALUES(1,'15bc13c1-5180-49db-adb6-2dec89025ca9',14,1,1,NULL,2683,2683,1800000000.0,'[["15bc13c1-5180-49db-adb6-2dec89025ca9","DIGITAL","RZDULV998",2683,true,false,"2028-02-09T00:00:00+00:00","2465ba4c-eb1f-4dec-aec8-2dec89025cb2","Program 3"],null]');
INSERT INTO "seen" VALUES(1,'221c9697-1dfe-4256-a565-2dec89025ca1',6,1,1,NULL,1500,1500,1800000000.0,'[["221c9697-1dfe-4256-a565-2dec89025ca1","DIGITAL","YE9WUVRAS",1500,true,false,"2026-11-30T00:00:00+00:00","9ef8f507-69ae-4a62-a62f-2dec89025cb0","Program 1"],null]');
INSERT INTO "seen" VALUES(1,'241132c2-2ec6-4341-a41d-2dec89025ca5',2,1,2,NULL,2500,2500,1800000000.0,'[["241132c2-2ec6-4341-a41d-2dec89025ca5","DIGITAL","1LPXZE0BK",2500,true,false,"2027-11-01T00:00:00+00:00","2465ba4c-eb1f-4dec-aec8-2dec89025cb2","Program 3"],null]');
INSERT INTO "seen" VALUES(1,'312241cc-b265-4846-a46f-2dec89025cb5',18,1,1,NULL,2500,2500,1800000000.0,'[["312241cc-b265-4846-a46f-2dec89025cb5","DIGITAL","ORXTHD08G",2500,true,false,"2027-06-18T00:00:00+00:00","9ef8f507-69ae-4a62-a62f-2dec89025cb0","Program 1"],null]');
INSERT INTO "seen" VALUES(1,'34700d0d-fea0-4f09-a097-2dec89025ca7',0,1,2,NULL,10000,10000,1800000000.0,'[["34700d0d-fea0-4f09-a097-2dec89025ca7","DIGITAL","L7FYJN4TY",10000,true,true,"2026-11-30T00:00:00+00:00","9ef8f507-69ae-4a62-a62f-2dec89025cb0","Program 1"],null]');
INSERT INTO "seen" VALUES(1,'3aeff0bd-c5ac-4b9a-a9a5-2dec89025caa',11,1,1,NULL,10000,10000,1800000000.0,'[["3aeff0bd-c5ac-4b9a-a9a5-2dec89025caa","DIGITAL","LDYVG8Y0T",10000,true,false,"2028-02-09T00:00:00+00:00","2465ba4c-eb1f-4dec-aec8-2dec89025cb2","Program 3"],null]');
INSERT INTO "seen" VALUES(1,'3ca3e9cb-b8f1-4e96-a963-2dec89025ca0',5,1,1,NULL,1500,1500,1800000000.0,'[["3ca3e9cb-b8f1-4e96-a963-2dec89025ca0","DIGITAL","874X50BJZ",1500,true,false,"2027-11-01T00:00:00+00:00","2465ba4c-eb1f-4dec-aec8-2dec89025cb2","Program 3"],null]');
INSERT INTO "seen" VALUES(1,'552d449e-df09-4117-a178-2dec89025cb6',15,1,1,NULL,0,0,1800000000.0,'[["552d449e-df09-4117-a178-2dec89025cb6","DIGITAL","I6IUBQP01",0,true,true,"2027-03-10T00:00:00+00:00","9ef8f507-69ae-4a62-a62f-2dec89025cb0","Program 1"],null]');
INSERT INTO "seen" VALUES(1,'5fd54550-2173-4f68-a686-2dec89025ca2',3,1,2,NULL,0,0,1800000000.0,'[["5fd54550-2173-4f68-a686-2dec89025ca2","PHYSICAL","RSUXP9G2D",0,true,true,"2026-11-30T00:00:00+00:00","9ef8f507-69ae-4a62-a62f-2dec89025cb0","Program 1"],null]');
INSERT INTO "seen" VALUES(1,'718dbf3e-e18a-4bc8-ac82-2dec89025caf',8,1,1,NULL,2500,2500,1800000000.0,'[["718dbf3e-e18a-4bc8-ac82-2dec89025caf","PHYSICAL","ESJWAMMSE",2500,true,false,"2028-02-09T00:00:00+00:00","2465ba4c-eb1f-4dec-aec8-2dec89025cb2","Program 3"],null]');
INSERT INTO "seen" VALUES(1,'78d57e49-3e53-4cc9-ac9a-2dec89025cb3',20,1,1,NULL,1000,1000,1800000000.0,'[["78d57e49-3e53-4cc9-ac9a-2dec89025cb3","DIGITAL","567SX3VQ2",1000,true,false,"2028-05-19T00:00:00+00:00","2465ba4c-eb1f-4dec-aec8-2dec89025cb2","Program 3"],null]');
INSERT INTO "seen" VALUES(1,'8168a0df-7b76-4639-a39d-2dec89025cac',9,1,1,NULL,5000,5000,1800000000.0,'[["8168a0df-7b76-4639-a39d-2dec89025cac","DIGITAL","4ZOW0I2J7",5000,true,false,"2027-03-10T00:00:00+00:00","9ef8f507-69ae-4a62-a62f-2dec89025cb0","Program 1"],null]');
INSERT INTO "seen" VALUES(1,'8b5600d4-fd71-4ce1-ae17-2dec89025cb4',17,1,1,NULL,1500,1500,1800000000.0,'[["8b5600d4-fd71-4ce1-ae17-2dec89025cb4","DIGITAL","YKSTRHKHN",1500,true,false,"2028-05-19T00:00:00+00:00","2465ba4c-eb1f-4dec-aec8-2dec89025cb2","Program 3"],null]');
INSERT INTO "seen" VALUES(1,'8c77f650-4ecc-4c9e-a9e1-2dec89025cbe',23,1,1,NULL,8823,8823,1800000000.0,'[["8c77f650-4ecc-4c9e-a9e1-2dec89025cbe","DIGITAL","BRMS2Q6YH",8823,true,false,"2028-05-19T00:00:00+00:00","2465ba4c-eb1f-4dec-aec8-2dec89025cb2","Program 3"],null]');
INSERT INTO "seen" VALUES(1,'abff862f-98cb-445d-a5d6-2dec89025ca3',4,1,2,NULL,5000,5000,1800000000.0,'[["abff862f-98cb-445d-a5d6-2dec89025ca3","DIGITAL","HZZXF4VT6",5000,true,false,null,"e4423c80-2499-44df-adff-2dec89025cb3","Program 2"],null]');
INSERT INTO "seen" VALUES(1,'adf3daa5-e715-4570-a704-2dec89025cae',7,1,1,NULL,5000,5000,1800000000.0,'[["adf3daa5-e715-4570-a704-2dec89025cae","DIGITAL","OLEWKR71L",5000,true,false,null,"e4423c80-2499-44df-adff-2dec89025cb3","Program 2"],null]');
INSERT INTO "seen" VALUES(1,'bfe6842e-7623-4768-a68d-2dec89025ca8',13,1,1,NULL,0,0,1800000000.0,'[["bfe6842e-7623-4768-a68d-2dec89025ca8","DIGITAL","1S8UVZTIF",0,true,true,null,"e4423c80-2499-44df-adff-2dec89025cb3","Program 2"],null]');
INSERT INTO "seen" VALUES(1,'c32c17da-aef2-4f0e-a0ec-2dec89025ca4',1,1,2,NULL,5000,5000,1800000000.0,'[["c32c17da-aef2-4f0e-a0ec-2dec89025ca4","DIGITAL","BEKY9IKKR",5000,true,true,null,"e4423c80-2499-44df-adff-2dec89025cb3","Program 2"],null]');
INSERT INTO "seen" VALUES(1,'ca09a5dc-9223-4f73-a73f-2dec89025cad',10,1,1,NULL,10000,10000,1800000000.0,'[["ca09a5dc-9223-4f73-a73f-2dec89025cad","DIGITAL","V6TVQDIA0",10000,true,false,null,"e4423c80-2499-44df-adff-2dec89025cb3","Program 2"],null]');
INSERT INTO "seen" VALUES(1,'cedd2098-3fe4-4e49-a499-2dec89025cb2',19,1,1,NULL,4412,4412,1800000000.0,'[["cedd2098-3fe4-4e49-a499-2dec89025cb2","DIGITAL","EZ2T78FZ9",4412,true,false,null,"e4423c80-2499-44df-adff-2dec89025cb3","Program 2"],null]');
INSERT INTO "seen" VALUES(1,'e007a27f-e89c-4c3f-a3f7-2dec89025cb7',16,1,1,NULL,5000,5000,1800000000.0,'[["e007a27f-e89c-4c3f-a3f7-2dec89025cb7","DIGITAL","8DNU1M4QU",5000,true,false,null,"e4423c80-2499-44df-adff-2dec89025cb3","Program 2"],null]');
INSERT INTO "seen" VALUES(1,'e6d0c018-419c-4ad0-ad05-2dec89025cb0',21,1,1,NULL,10000,10000,1800000000.0,'[["e6d0c018-419c-4ad0-ad05-2dec89025cb0","DIGITAL","VDCSMZBGV",10000,true,false,"2027-06-18T00:00:00+00:00","9ef8f507-69ae-4a62-a62f-2dec89025cb0","Program 1"],null]');
CREATE TABLE walks (number INTEGER PRIMARY KEY, state TEXT NOT NULL);
INSERT INTO "walks" VALUES(1,'{"number": 2, "size": 5, "landed": false, "first_last": 5, "pending": {"number": 1, "total": 24, "at": 1800000000.0}, "latest": {"number": 1, "total": 24, "at": 1800000000.0}, "differed": 0, "verdict": null, "upto": null, "unread": {}, "repeated": 0}');
COMMIT;
